//! What else a command ends with: usage errors, devices, held and finished runs.

use std::fs::{self, File};

use insta::assert_snapshot;

use super::world::{SPEC, World, text};

/// What is said of a usage error: exit code 2, nothing on stdout, nothing touched.
fn usage(args: &[&str]) -> String {
    let world = World::finished();
    let before = world.files();
    let ended = world.mezo(args);
    assert_eq!(ended.status.code(), Some(2));
    assert_eq!(text(&ended.stdout), "");
    assert!(world.files() == before);
    world.said(&ended)
}

#[test]
fn usage_errors_say_what_is_missing() {
    assert_snapshot!(usage(&["sweep", "run"]), @r"
    error: the following required arguments were not provided:
      <SPEC>

    Usage: mezo sweep run <SPEC>

    For more information, try '--help'.
    ");
    assert_snapshot!(usage(&["sweep", "rnu", SPEC]), @r"
    error: unrecognized subcommand 'rnu'

    Usage: mezo sweep <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(usage(&["sweep", "run", SPEC, "--jobs", "many"]), @r"
    error: invalid value 'many' for '--per-device <N>': invalid digit found in string

    For more information, try '--help'.
    ");
}

#[test]
fn a_device_that_is_not_there_starts_no_run() {
    let world = World::with(&[("seed = [13]", "seed = [21]")]);
    assert_snapshot!(usage(&["sweep", "run", SPEC, "--devices", "gpu"]), @r"
    error: invalid value 'gpu' for '--devices <DEVICES>': expected auto, cpu, cuda:0,1 or fake:4, found `gpu`

    For more information, try '--help'.
    ");
    // How many there are depends on the machine.
    let said = world.refuses(&["sweep", "run", SPEC, "--devices", "cuda:99"]);
    assert!(
        said.starts_with("error: there is no device cuda:99: "),
        "{said}"
    );
}

#[test]
fn a_run_says_why_its_device_is_not_there() {
    let world = World::finished();
    let mut runs = fs::read_dir(world.path("runs/small")).unwrap();
    let some = runs.find(|entry| entry.as_ref().unwrap().path().is_dir());
    let some = some.unwrap().unwrap();
    fs::rename(some.path(), world.path("runs/small/some")).unwrap();
    world.remove("runs/small/some/result.json");
    let on = |device: &str| {
        let ended = world.mezo(&["train", "runs/small/some", "--device", device]);
        assert_eq!(ended.status.code(), Some(3), "{}", world.said(&ended));
        assert_eq!(text(&ended.stdout), "");
        world.said(&ended)
    };
    assert_snapshot!(on("gpu"), @r"
    error: there is no device `gpu`: expected `cpu` or `cuda:<number>`
    hint: `cpu` is always there; `cuda:0` needs a build with `--features cuda` and a driver
    ");
    let said = on("cuda:99");
    // Of a build with CUDA the driver and the machine decide.
    if cfg!(feature = "cuda") {
        assert!(
            said.starts_with("error: there is no device `cuda:99`: "),
            "{said}"
        );
    } else {
        assert_snapshot!(said, @r"
        error: there is no device `cuda:99`: this program was built without CUDA; `cargo build --release --features cuda` has it
        hint: `cpu` is always there; `cuda:0` needs a build with `--features cuda` and a driver
        ");
    }
    // A sweep is told the same way that its device failed.
    let attempts = fs::read_to_string(world.path("runs/small/some/attempts.jsonl")).unwrap();
    let last = attempts.lines().last().unwrap();
    assert!(last.contains("\"class\":\"device-fault\""), "{last}");
    assert!(!world.path("runs/small/some/result.json").exists());
}

#[test]
fn a_finished_sweep_run_again_changes_nothing() {
    let world = World::finished();
    let before = world.files();
    let ended = world.mezo(&["sweep", "run", SPEC]);
    assert_eq!(ended.status.code(), Some(0), "{}", world.said(&ended));
    assert!(world.files() == before);
}

#[test]
fn a_finished_run_run_again_changes_nothing() {
    let world = World::finished();
    let before = world.files();
    let runs = fs::read_dir(world.path("runs/small")).unwrap();
    let runs = runs.map(|entry| entry.unwrap().path());
    let runs: Vec<_> = runs.filter(|path| path.is_dir()).collect();
    assert_eq!(runs.len(), 3);
    for run in runs {
        let ended = world.mezo(&["train", run.to_str().unwrap()]);
        assert_eq!(ended.status.code(), Some(0), "{}", world.said(&ended));
        assert_eq!(text(&ended.stdout) + &text(&ended.stderr), "");
    }
    assert!(world.files() == before);
}

#[test]
fn a_held_run_is_left_alone() {
    let world = World::finished();
    let mut runs = fs::read_dir(world.path("runs/small")).unwrap();
    let some = runs.find(|entry| entry.as_ref().unwrap().path().is_dir());
    let some = some.unwrap().unwrap();
    fs::rename(some.path(), world.path("runs/small/some")).unwrap();
    world.remove("runs/small/some/result.json");
    let lock = File::create(world.path("runs/small/some/lock")).unwrap();
    lock.lock().unwrap();
    let before = world.files();
    let ended = world.mezo(&["train", "runs/small/some"]);
    assert_eq!(ended.status.code(), Some(75));
    assert_eq!(text(&ended.stdout), "");
    assert!(world.files() == before);
    assert_snapshot!(world.said(&ended), @r"
    error: runs/small/some/lock: held by another process
    hint: wait for it, or stop it
    ");
}

#[test]
fn a_run_folder_has_a_manifest() {
    let world = World::finished();
    let ended = world.mezo(&["train", "runs/small"]);
    assert_eq!(ended.status.code(), Some(1));
    assert_snapshot!(world.said(&ended), @r"
    error: runs/small/manifest.json: cannot read: No such file or directory (os error 2)
    hint: a run's directory is one that `mezo sweep run` made: runs/<sweep>/<id>
    ");
}
