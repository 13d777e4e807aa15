//! A sweep of 10,000 runs is planned and told of.

use std::fs;
use std::time::Duration;

use crate::common::{Place, spec, text};

const RUNS: usize = 10_000;

fn list(count: usize, value: impl Fn(usize) -> String) -> String {
    (0..count).map(value).collect::<Vec<_>>().join(", ")
}

/// A sweep of so many runs, with a batch size.
fn many(batch_size: &str) -> String {
    let sweep = format!(
        "seed = [{}]\nlr = [{}]\n\"train.warmup\" = [{}]",
        list(100, |seed| seed.to_string()),
        list(10, |lr| format!("{}e-4", lr + 1)),
        list(10, |steps| steps.to_string())
    );
    let train = format!("steps = 100\nbatch_size = {batch_size}\neval_every = 50");
    spec("many", r#"tuning = "lora""#, &train, &sweep)
}

#[test]
fn ten_thousand_runs_are_planned() {
    let place = Place::new();
    place.write("many.toml", &many("4"));
    let output = place.exits(0, "sweep plan many.toml");
    assert!(text(&output.stderr).starts_with("10,001 runs, 0 finished"));
}

#[test]
fn ten_thousand_runs_are_planned_beside_ten_thousand_earlier_ones() {
    let place = Place::new();
    place.write("many.toml", &many("4"));
    // Killed as soon as everything is made ready.
    let mut command = place.mezo(["sweep", "run", "many.toml", "--devices", "fake:1"]);
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    crate::common::wait_until("all manifests are there", Duration::from_secs(60), || {
        std::thread::sleep(Duration::from_millis(50));
        let runs = fs::read_dir(place.path("runs/many"));
        runs.is_ok_and(|runs| runs.count() > RUNS)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    place.write("many.toml", &many("8"));
    let output = place.exits(0, "sweep plan many.toml");
    let said = text(&output.stderr);
    let changed = "10000 earlier runs are not among these: train.batch_size was 4, is 8";
    assert!(said.contains(changed), "{said}");
}

#[test]
fn ten_thousand_runs_are_told_of() {
    let place = Place::new();
    let train = "steps = 2\nbatch_size = 4\neval_every = 2\nlr = 1e-4";
    place.write(
        "one.toml",
        &spec("one", r#"tuning = "lora""#, train, "seed = [13]"),
    );
    place.exits(0, "sweep run one.toml");
    let done = place.trained("one").remove(0);
    let manifest = text(&fs::read(done.join("manifest.json")).unwrap());
    let id = crate::common::name(&done);
    let attempts = fs::read(done.join("attempts.jsonl")).unwrap();
    let journal = fs::read(done.join("steps.jsonl")).unwrap();
    for number in 0..RUNS {
        let own = format!("{number:016x}");
        let dir = place.path(format!("runs/many/{own}"));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("manifest.json"), manifest.replace(&id, &own)).unwrap();
        fs::write(dir.join("lock"), "").unwrap();
        fs::write(dir.join("attempts.jsonl"), &attempts).unwrap();
        fs::write(dir.join("steps.jsonl"), &journal).unwrap();
        // Every other one is finished.
        if number % 2 == 0 {
            fs::write(dir.join("result.json"), "{}").unwrap();
        }
    }
    let output = place.exits(5, "sweep status many");
    let said = text(&output.stdout);
    assert!(
        said.ends_with("10000 runs: 5000 finished, 5000 begun\n"),
        "{said}"
    );
}
