//! What a worker tells its scheduler.

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::common::{Place, ended, json_lines, spec};

/// Two trained runs with nothing but their manifests.
fn planned() -> Place {
    let place = Place::new();
    let train = "lr = 1e-4\nsteps = 4\nbatch_size = 4\neval_every = 2";
    place.write(
        "small.toml",
        &spec("small", r#"tuning = "lora""#, train, "seed = [13, 21]"),
    );
    ended(&mut place.mezo(["sweep", "run", "small.toml"]), 0);
    for dir in place.runs("small") {
        for file in fs::read_dir(&dir).unwrap() {
            let file = file.unwrap().path();
            if file.is_file() && !file.ends_with("manifest.json") {
                fs::remove_file(file).unwrap();
            } else if file.is_dir() {
                fs::remove_dir_all(file).unwrap();
            }
        }
    }
    place
}

/// What a worker of a command says: its events, without those that only say that it is alive.
fn events(command: &mut Command) -> (Vec<Value>, Output) {
    let output = command.output().unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let events = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let events = events.filter(|event: &Value| event["event"] != "alive");
    (events.collect(), output)
}

/// A worker of these runs, whose scheduler does not ask it to stop.
fn worker(place: &Place, dirs: &[std::path::PathBuf]) -> Command {
    let mut command = place.mezo(["train", "--worker"]);
    let (stdin, keep) = std::io::pipe().unwrap();
    std::mem::forget(keep);
    command.args(dirs).stdin(Stdio::from(stdin));
    command
}

#[test]
fn a_worker_says_what_happens_to_each_run() {
    let place = planned();
    let dirs = place.trained("small");
    let (events, output) = events(&mut worker(&place, &dirs));
    assert!(output.status.success(), "{output:?}");
    for (run, dir) in dirs.iter().enumerate() {
        let own: Vec<&Value> = events.iter().filter(|event| event["run"] == run).collect();
        let kinds: Vec<&str> = own
            .iter()
            .map(|event| event["event"].as_str().unwrap())
            .collect();
        let expected = [
            "started",
            "step",
            "step",
            "evaluated",
            "step",
            "step",
            "evaluated",
            "evaluated",
        ];
        assert_eq!(&kinds[..expected.len()], expected);
        assert_eq!(own[0]["attempt"], 1);
        assert_eq!(
            **own.last().unwrap(),
            json!({"event": "ended", "run": run, "how": "finished"})
        );
        // What it says is what it has written.
        let journal = json_lines(&dir.join("steps.jsonl"));
        let steps: Vec<&&Value> = own
            .iter()
            .filter(|event| event["event"] == "step")
            .collect();
        assert_eq!(steps.len(), journal.len());
        for (event, line) in steps.iter().zip(&journal) {
            let estimate = &line["estimates"][0];
            let half = |side: &str| estimate[side].as_f64().unwrap() / 2.0;
            let loss = half("loss_plus") + half("loss_minus");
            assert_eq!(event["step"], line["step"]);
            assert!((event["loss"].as_f64().unwrap() - loss).abs() < 1e-12);
        }
        let evals = json_lines(&dir.join("evals.jsonl"));
        let told = |event: &Value| {
            let of = |eval: &&Value| {
                eval["step"] == event["step"]
                    && eval["split"] == event["split"]
                    && eval["metric"] == "accuracy"
            };
            evals.iter().find(of).map(|eval| eval["value"].clone())
        };
        for event in own.iter().filter(|event| event["event"] == "evaluated") {
            assert_eq!(told(event), Some(event["accuracy"].clone()), "{event}");
        }
    }
}

#[test]
fn a_worker_says_why_a_run_cannot_be() {
    let place = planned();
    let dirs = place.trained("small");
    let manifest = fs::read_to_string(dirs[0].join("manifest.json")).unwrap();
    fs::write(dirs[0].join("manifest.json"), &manifest[1..]).unwrap();
    let lock = fs::File::create(dirs[1].join("lock")).unwrap();
    lock.lock().unwrap();
    let (events, output) = events(&mut worker(&place, &dirs));
    let [broken, held] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(held, &json!({"event": "ended", "run": 1, "how": "held"}));
    let failed = &broken["how"]["failed"];
    assert_eq!(
        (&broken["run"], &failed["class"]),
        (&json!(0), &json!("error"))
    );
    let said = failed["error"].as_str().unwrap();
    assert!(said.contains("manifest.json:2:"), "{said}");
    // The log says it too.
    assert!(String::from_utf8_lossy(&output.stderr).contains(said));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_worker_without_a_reader_goes_on() {
    let place = planned();
    let dirs = place.trained("small");
    let mut worker = worker(&place, &dirs[..1]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = worker.stdout(Stdio::from(writer)).status().unwrap();
    assert!(status.success());
    assert!(dirs[0].join("result.json").exists());
}
