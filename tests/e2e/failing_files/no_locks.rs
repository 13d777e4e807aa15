//! Two processes at one run on a file system whose locks hold nobody back.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::fault::Shim;
use crate::common::{
    Done, Place, assert_same, json_lines, line_count, outcome, spec, text, wait_until,
};

fn start(place: &Place, shim: &Arc<Shim>) -> Child {
    let mut command = place.mezo(["train", "run"]);
    shim.without_locks(&mut command);
    command.stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn the_later_of_two_has_the_run_and_the_earlier_leaves_it() {
    let train = "lr = 1e-4\nsteps = 3000\nbatch_size = 4\neval_every = 1000";
    let text_of = spec("long", r#"tuning = "lora""#, train, "seed = [13]");
    let done = Done::new("long", &text_of, "1");
    let dir = &done.place.trained("long")[0];
    let place = Place::new();
    let manifest = std::fs::read(dir.join("manifest.json")).unwrap();
    place.write("run/manifest.json", &text(&manifest));
    let journal = place.path("run/steps.jsonl");
    let shim = Shim::get();
    let first = start(&place, &shim);
    wait_until("the first is under way", Duration::from_secs(60), || {
        line_count(&journal) > 50
    });
    let second = start(&place, &shim);
    let first = first.wait_with_output().unwrap();
    let said = text(&first.stderr);
    assert_eq!(first.status.code(), Some(75), "{said}");
    assert!(
        said.contains("attempt 1 has lost the run to another process (attempt 2, "),
        "{said}"
    );
    let second = second.wait_with_output().unwrap();
    assert_eq!(second.status.code(), Some(0), "{}", text(&second.stderr));
    assert_same(
        &outcome(&place.path("run")),
        &outcome(dir),
        "a run that two were at",
    );
    let ends = |path: &Path| {
        json_lines(path)
            .iter()
            .filter(|line| line["event"] == "end")
            .count()
    };
    assert_eq!(ends(&place.path("run/attempts.jsonl")), 1);
}
