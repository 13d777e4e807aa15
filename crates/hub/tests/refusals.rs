//! A hub that does not give what is asked for, for now or for good: what is waited for, and what is said.
#![allow(clippy::unwrap_used, missing_docs)]
#![allow(dead_code, reason = "the support module is shared by several tests")]

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use mezo_hub::{HubError, Repo, Wanted};
use support::fake_hub::{FakeRepo, Fault};
use support::{Told, WEIGHTS, World, model, roberta, whole};

#[test]
fn failures_of_the_hub_that_pass_are_waited_for() {
    let world = World::new();
    world.fake.fault("main", Fault::Status(503, &[]));
    world.fake.fault(
        "main",
        Fault::Status(500, &[("X-Error-Message", "a bad day")]),
    );
    world.fake.fault(WEIGHTS, Fault::Status(502, &[]));
    world.fake.fault(WEIGHTS, Fault::Status(403, &[]));
    let mut told = Told::default();
    world.fetch(&mut told).unwrap();
    whole(&world);
    let lines: Vec<String> = told
        .lines
        .iter()
        .map(|line| line.replace(&world.fake.url, "HUB"))
        .collect();
    assert_eq!(
        lines[..2],
        [
            "HUB/api/models/roberta-large/revision/main: status 503 1ms",
            "HUB/api/models/roberta-large/revision/main: status 500 (a bad day) 2ms"
        ]
    );
    assert!(
        !lines.iter().any(|line| line.contains("secret")),
        "{lines:?}"
    );
}

#[test]
fn failures_of_the_hub_that_stay_are_given_up() {
    let world = World::new();
    for _ in 0..20 {
        world.fake.fault("main", Fault::Status(500, &[]));
    }
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert_eq!(
        world.said(&error),
        "HUB/api/models/roberta-large/revision/main: status 500, 6 times in a row"
    );
    assert_eq!(world.fake.seen().len(), 6);
    assert!(!error.is_bad_input());
}

#[test]
fn a_busy_hub_is_left_in_peace_for_as_long_as_it_says() {
    let world = World::new();
    world
        .fake
        .fault("main", Fault::Status(429, &[("Retry-After", "1")]));
    let since = Instant::now();
    let mut told = Told::default();
    world.fetch(&mut told).unwrap();
    assert!(since.elapsed() >= Duration::from_secs(1));
    assert!(
        told.lines[0].ends_with("the hub wants no request for the next 1 s 1s"),
        "{:?}",
        told.lines
    );
    // Nobody wants to sit an hour before a program that says nothing.
    world
        .fake
        .fault("main", Fault::Status(429, &[("Retry-After", "3600")]));
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(
        matches!(error, HubError::Busy { wait_s: 3600, .. }),
        "{error}"
    );
    // Without a time it is any failure that passes.
    world.fake.fault("main", Fault::Status(429, &[]));
    world.fetch(&mut Told::default()).unwrap();
}

#[test]
fn a_private_or_gated_repository_says_how_to_get_in() {
    let world = World::new();
    world
        .fake
        .repo("roberta-large", |repo| repo.token = Some("hf_right"));
    let error = world.fails(&[], &model(), Wanted::Model);
    assert_eq!(
        world.said(&error),
        "HUB/roberta-large: the hub gives roberta-large only to those who may read it, if there is such a repository \
         (401, no token was sent)"
    );
    assert!(error.hint().unwrap().contains("HF_TOKEN"));
    world.fake.repo("roberta-large", |repo| repo.gated = true);
    let error = world.fails(&[("HF_TOKEN", "hf_wrong")], &model(), Wanted::Model);
    assert_eq!(
        world.said(&error),
        "HUB/roberta-large: the hub gives roberta-large only to those who have accepted its terms (403, the token was \
         not enough)"
    );
    assert!(error.hint().unwrap().contains("accept the terms"));
    assert_eq!(
        world.fake.seen().len(),
        2,
        "a refusal is no failure that passes"
    );
}

#[test]
fn what_is_not_there_is_named() {
    let world = World::new();
    let token = [("HF_TOKEN", "hf_any")];
    let other = Repo::model("roberta-lrge").unwrap();
    let error = world.fails(&token, &other, Wanted::Model);
    assert_eq!(world.said(&error), "HUB has no repository roberta-lrge");
    let error = world.fetch_at("v9", &mut Told::default()).unwrap_err();
    assert_eq!(world.said(&error), "roberta-large has no revision \"v9\"");
    let error = world.fails(&[], &model(), Wanted::Files(&["config.json", "vocab.txt"]));
    assert_eq!(
        world.said(&error),
        "roberta-large at main has no file vocab.txt"
    );
    assert!(error.is_bad_input());
    // Nothing is fetched before all is known to be there.
    assert!(!world.dir.path().join("hub").exists());
}

#[test]
fn pickled_weights_are_refused() {
    let mut repo = roberta();
    let weights = repo.files.remove(WEIGHTS).unwrap();
    repo.files.insert("pytorch_model.bin".into(), weights);
    let world = World::with("roberta-large", repo);
    let error = world.fails(&[], &model(), Wanted::Model);
    assert_eq!(
        world.said(&error),
        "roberta-large at main has its weights as pytorch_model.bin alone, which only PyTorch can read"
    );
    assert!(error.hint().unwrap().contains("safe_serialization=True"));
    let world = World::with(
        "roberta-large",
        FakeRepo::new("main", &[("config.json", b"{}")]),
    );
    let error = world.fails(&[], &model(), Wanted::Model);
    assert_eq!(
        world.said(&error),
        "roberta-large at main has no file tokenizer.json"
    );
}

#[test]
fn a_hub_that_is_not_there_is_named() {
    let world = World::new();
    // A port on which nobody listens any more.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let nobody = format!("http://127.0.0.1:{port}");
    let error = world.fails(&[("HF_ENDPOINT", &nobody)], &model(), Wanted::Model);
    assert!(
        matches!(&error, HubError::GaveUp { attempts: 6, .. }),
        "{error}"
    );
    assert!(error.to_string().starts_with(&nobody), "{error}");
}

#[test]
fn an_address_that_is_no_hub_is_said_to_be_none() {
    let world = World::new();
    world.fake.fault(
        "main",
        Fault::Status(
            302,
            &[("Location", "/api/models/roberta-large/revision/main")],
        ),
    );
    world.fetch(&mut Told::default()).unwrap();
    for _ in 0..20 {
        world.fake.fault(
            "main",
            Fault::Status(
                302,
                &[("Location", "/api/models/roberta-large/revision/main")],
            ),
        );
    }
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(
        world.said(&error).ends_with("more than 10 redirects"),
        "{error}"
    );
    let world = World::new();
    world.fake.fault("main", Fault::Status(200, &[]));
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(matches!(error, HubError::Answer { .. }), "{error}");
}

#[test]
fn addresses_of_https_are_spoken_to_in_tls() {
    let world = World::new();
    let https = world.fake.url.replace("http://", "https://");
    let error = world.fails(&[("HF_ENDPOINT", &https)], &model(), Wanted::Model);
    assert!(error.to_string().starts_with(&https), "{error}");
    // What came in was no request of HTTP in plain text.
    assert!(world.fake.seen().iter().all(|seen| seen.path.is_empty()));
}
