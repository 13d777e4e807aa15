//! What there is to compute with, and what a sweep's workers are given of it: a device, a share of the cores, a process group.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::common::{Place, ended, json_lines, spec, text, wait_until};

fn long(seeds: &str) -> String {
    let train = "lr = 1e-4\nsteps = 20000\nbatch_size = 4\neval_every = 10000";
    spec(
        "long",
        r#"tuning = "lora""#,
        train,
        &format!("seed = [{seeds}]"),
    )
}

/// The words of a worker's command line, and its environment.
struct Worker {
    pid: u32,
    args: Vec<String>,
    environment: BTreeMap<String, String>,
}

fn workers(root: &Path) -> Vec<Worker> {
    let root = root.canonicalize().unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let words = |bytes: Vec<u8>| -> Vec<String> {
        let words = bytes
            .split(|&byte| byte == 0)
            .filter(|word| !word.is_empty());
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect()
    };
    let worker = |entry: fs::DirEntry| -> Option<Worker> {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        if fs::read_link(entry.path().join("cwd")).ok()? != root {
            return None;
        }
        let args = words(fs::read(entry.path().join("cmdline")).ok()?);
        let environment = words(fs::read(entry.path().join("environ")).ok()?);
        let pairs = environment.iter().filter_map(|pair| pair.split_once('='));
        (args.get(1)? == "train").then(|| Worker {
            pid,
            environment: pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
            args,
        })
    };
    entries.filter_map(worker).collect()
}

/// The process group of a process.
fn group(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    rest.split(' ').nth(2).unwrap().parse().unwrap()
}

#[test]
fn the_devices_are_listed_for_people_and_programs() {
    let place = Place::new();
    let human = text(&place.exits(0, "devices").stdout);
    let json = text(&place.exits(0, "devices --format json").stdout);
    let listed: serde_json::Value = serde_json::from_str(&json).unwrap();
    let devices = listed["devices"].as_array().unwrap();
    let names: Vec<&str> = devices
        .iter()
        .map(|device| device["device"].as_str().unwrap())
        .collect();
    assert_eq!(names[0], "cpu");
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(devices[0]["cores"], cores);
    for name in &names {
        let firsts = human.lines().map(|line| line.split_whitespace().next());
        let lines = firsts.filter(|first| *first == Some(*name));
        assert_eq!(lines.count(), 1, "{human}");
    }
    let cuda = names.iter().filter(|name| name.starts_with("cuda:"));
    assert_eq!(listed["no_cuda"].is_null(), cuda.count() > 0, "{json}");
    if cfg!(not(feature = "cuda")) {
        let why =
            "this program was built without CUDA; `cargo build --release --features cuda` has it";
        assert_eq!(listed["no_cuda"], why);
        assert!(human.contains(&format!("no cuda   {why}\n")), "{human}");
    }
}

#[test]
fn each_worker_sees_its_own_device() {
    let place = Place::new();
    place.write("long.toml", &long("1, 2, 3, 4, 5"));
    let mut command = place.mezo("sweep run long.toml --devices fake:2 -j 2".split_whitespace());
    command.env("CUDA_VISIBLE_DEVICES", "GPU-5ca1ab1e, 7");
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = Vec::new();
    wait_until("four workers train", Duration::from_secs(60), || {
        seen = workers(place.root());
        seen.len() == 4
            && place
                .trained("long")
                .iter()
                .filter(|dir| dir.join("steps.jsonl").exists())
                .count()
                == 4
    });
    let given: Vec<&str> = seen
        .iter()
        .map(|worker| worker.environment["CUDA_VISIBLE_DEVICES"].as_str())
        .collect();
    let on = |device: &str| given.iter().filter(|given| **given == device).count();
    assert_eq!((on("GPU-5ca1ab1e"), on("7")), (2, 2), "{given:?}");
    for worker in &seen {
        assert_eq!(worker.environment["CUDA_DEVICE_ORDER"], "PCI_BUS_ID");
        assert_eq!(group(worker.pid), worker.pid, "a group of its own");
        let threads = worker
            .args
            .iter()
            .position(|arg| arg == "--threads")
            .unwrap();
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!(worker.args[threads + 1], (cores / 4).max(1).to_string());
    }
    let groups: BTreeSet<u32> = seen.iter().map(|worker| group(worker.pid)).collect();
    assert_eq!(groups.len(), 4);
    ended(
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]),
        0,
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert!(workers(place.root()).is_empty());
}

#[test]
fn a_silent_run_is_ended_and_goes_on() {
    let place = Place::new();
    place.write("long.toml", &long("1"));
    let mut command = place.mezo("sweep run long.toml --silence 5s".split_whitespace());
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the run trains", Duration::from_secs(60), || {
        place.path("runs/long").exists()
            && place
                .trained("long")
                .iter()
                .any(|dir| crate::common::line_count(&dir.join("steps.jsonl")) > 10)
    });
    // As one that waits for a device for ever: it hears SIGTERM only when it goes on.
    let worker = &workers(place.root())[0];
    let signal = |name: &str| {
        ended(
            std::process::Command::new("kill").args([name, &worker.pid.to_string()]),
            0,
        );
    };
    signal("-STOP");
    std::thread::sleep(Duration::from_secs(7));
    signal("-CONT");
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("hang, going on with seed 1 "), "{said}");
    let attempts = json_lines(&place.trained("long")[0].join("attempts.jsonl"));
    assert!(
        attempts.iter().any(|line| line["class"] == "hang"),
        "{attempts:?}"
    );
}
