//! A fetch where things go wrong: it goes on where it stopped, or says what is wrong; nothing wrong is kept.
#![allow(clippy::unwrap_used, missing_docs)]
#![allow(dead_code, reason = "the support module is shared by two tests")]

mod support;

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use mezo_hub::{HubError, Repo, Wanted};
use support::fake_hub::{FakeRepo, Fault, sha256};
use support::{Told, World, roberta, weights};

const WEIGHTS: &str = "model.safetensors";

fn model() -> Repo {
    Repo::model("roberta-large").unwrap()
}

fn from(byte: usize) -> Option<String> {
    Some(format!("bytes={byte}-"))
}

fn incomplete(world: &World) -> std::path::PathBuf {
    world.at(format!("blobs/{}.incomplete", sha256(&weights())))
}

/// The weights are in their place as the hub has them, and nothing is left beside them.
fn whole(world: &World) {
    let blob = world.at("blobs").join(sha256(&weights()));
    assert!(fs::read(blob).unwrap() == weights());
    assert!(!incomplete(world).exists());
}

/// The weights are not in their place.
fn no_blob(world: &World) {
    assert!(!world.at("blobs").join(sha256(&weights())).exists());
    assert_eq!(world.hub(&[]).locate(&model(), "main"), None);
}

#[test]
fn a_cut_connection_goes_on_at_the_byte_where_it_was_cut() {
    let world = World::new();
    world.fake.fault(WEIGHTS, Fault::CutAfter(70_000));
    world.fake.fault(WEIGHTS, Fault::CutAfter(1));
    world.fake.fault(WEIGHTS, Fault::CutAfter(100_000));
    let mut told = Told::default();
    world.fetch(&mut told).unwrap();
    whole(&world);
    assert_eq!(
        world.fake.ranges("cdn"),
        [None, from(70_000), from(70_001), from(170_001)]
    );
    let cuts = told
        .lines
        .iter()
        .filter(|line| line.contains("the connection was cut after"));
    assert_eq!(cuts.count(), 3);
}

#[test]
fn a_connection_that_gives_nothing_is_given_up() {
    let world = World::new();
    for _ in 0..20 {
        world.fake.fault(WEIGHTS, Fault::CutAfter(0));
    }
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(
        world
            .said(&error)
            .ends_with("was cut after 0 of 200000 bytes, 6 times in a row"),
        "{error}"
    );
    assert_eq!(world.fake.ranges("cdn").len(), 6);
    no_blob(&world);
}

#[test]
fn what_an_earlier_process_has_left_is_taken_up() {
    let world = World::new();
    fs::create_dir_all(world.at("blobs")).unwrap();
    fs::write(incomplete(&world), &weights()[..123_456]).unwrap();
    world.fetch(&mut Told::default()).unwrap();
    whole(&world);
    assert_eq!(world.fake.ranges("cdn"), [from(123_456)]);
}

#[test]
fn a_beginning_that_is_wrong_or_too_long_is_fetched_again() {
    let mut wrong = weights()[..1000].to_vec();
    wrong[7] ^= 1;
    let mut whole_but_wrong = weights();
    whole_but_wrong[7] ^= 1;
    let too_long = [weights(), vec![0]].concat();
    for (left, ranges) in [
        (wrong, vec![from(1000), None]),
        (whole_but_wrong, vec![None]),
        (too_long, vec![None]),
    ] {
        let world = World::new();
        fs::create_dir_all(world.at("blobs")).unwrap();
        fs::write(incomplete(&world), left).unwrap();
        world.fetch(&mut Told::default()).unwrap();
        whole(&world);
        assert_eq!(world.fake.ranges("cdn"), ranges);
    }
}

#[test]
fn a_host_without_ranges_begins_again() {
    for fault in [Fault::Everything, Fault::Status(416, &[])] {
        let world = World::new();
        world.fake.fault(WEIGHTS, Fault::CutAfter(1000));
        world.fake.fault(WEIGHTS, fault);
        world.fetch(&mut Told::default()).unwrap();
        whole(&world);
        assert_eq!(world.fake.ranges("cdn")[..2], [None, from(1000)]);
    }
}

#[test]
fn other_bytes_never_become_a_blob() {
    let world = World::new();
    let mut other = weights();
    other[100_000] ^= 1;
    world.fake.fault(WEIGHTS, Fault::Bytes(other));
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(
        matches!(&error, HubError::Checksum { file, .. } if file == WEIGHTS),
        "{error}"
    );
    assert!(
        world
            .said(&error)
            .contains("the sha256 of model.safetensors is "),
        "{error}"
    );
    no_blob(&world);
    assert!(!incomplete(&world).exists());
    world.fetch(&mut Told::default()).unwrap();
    whole(&world);
}

#[test]
fn other_bytes_of_a_small_file_are_found_too() {
    let world = World::new();
    world.fake.fault(
        "config.json",
        Fault::Bytes(b"{\"model_type\": \"ROBERTA\"}".to_vec()),
    );
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(
        world
            .said(&error)
            .contains("the git hash of config.json is "),
        "{error}"
    );
}

#[test]
fn another_size_never_becomes_a_blob() {
    for other in [weights()[..100].to_vec(), [weights(), weights()].concat()] {
        let world = World::new();
        let size = other.len() as u64;
        world.fake.fault(WEIGHTS, Fault::Bytes(other));
        let error = world.fetch(&mut Told::default()).unwrap_err();
        assert!(
            matches!(error, HubError::Size { expected: 200_000, found, .. } if found == size),
            "{error}"
        );
        no_blob(&world);
        world.fetch(&mut Told::default()).unwrap();
        whole(&world);
    }
}

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
fn two_fetches_at_once_fetch_once() {
    let world = World::new();
    world
        .fake
        .fault(WEIGHTS, Fault::Late(Duration::from_millis(400)));
    let fetch = || {
        let mut told = Told::default();
        let found = world.fetch(&mut told).unwrap();
        (found, told.lines)
    };
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(fetch);
        let other = scope.spawn(fetch);
        (one.join().unwrap(), other.join().unwrap())
    });
    assert_eq!(one.0, other.0);
    whole(&world);
    assert_eq!(world.fake.ranges("cdn"), [None]);
    let lines = [one.1, other.1].concat();
    assert!(
        lines.contains(&"waiting model.safetensors".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let world = World::new();
    fs::write(world.dir.path().join("hub"), "a file").unwrap();
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(matches!(error, HubError::Write { .. }), "{error}");
    assert!(world.said(&error).starts_with("HOME/hub/"), "{error}");
    assert!(error.hint().unwrap().contains("HF_HUB_CACHE"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let world = World::new();
    fs::create_dir_all(world.at("blobs")).unwrap();
    std::os::unix::fs::symlink("/dev/full", incomplete(&world)).unwrap();
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(matches!(error, HubError::DiskFull { .. }), "{error}");
    assert!(
        world
            .said(&error)
            .ends_with(".incomplete: the disk is full"),
        "{error}"
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
