//! `mezo doctor`: what it says of a machine, and when it fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::common::{Place, ended, text};

/// What the command says, ended with this exit code; every line begins with a word and a section.
fn said(command: &mut Command, code: i32) -> String {
    let out = text(&ended(command, code).stdout);
    for line in out.lines() {
        let mut words = line.split_whitespace();
        let (word, section) = (words.next().unwrap(), words.next().unwrap());
        assert!(["ok", "note", "wrong"].contains(&word), "{line}");
        let sections = ["mezo", "devices", "memory", "caches", "runs", "slurm"];
        assert!(sections.contains(&section), "{line}");
    }
    out
}

/// Holds that a line begins with this word and says this of this section.
fn has(out: &str, word: &str, section: &str, what: &str) {
    let beginning = format!("{word:<5}  {section:<7}  ");
    let mut facts = out.lines().filter_map(|it| it.strip_prefix(&beginning));
    assert!(
        facts.any(|fact| fact.contains(what)),
        "no `{word}` for {section} says {what:?}:\n{out}"
    );
}

#[test]
fn a_fresh_folder_has_nothing_wrong() {
    let place = Place::new();
    let out = said(&mut place.mezo(["doctor"]), 0);
    let version = format!("version {}", env!("CARGO_PKG_VERSION"));
    has(&out, "ok", "mezo", &version);
    has(&out, "ok", "devices", "cores: ");
    has(&out, "ok", "memory", "total: ");
    has(&out, "note", "caches", "HF_HOME: none");
    has(&out, "note", "caches", "HF_TOKEN: no token");
    has(
        &out,
        "ok",
        "caches",
        "HF_ENDPOINT: https://huggingface.co (the default)",
    );
    has(&out, "ok", "caches", "HF_HUB_OFFLINE: off (the default)");
    has(&out, "note", "runs", "folder: runs is not there yet");
    has(&out, "ok", "runs", "file system: ");
    has(&out, "ok", "runs", "free disk: ");
    has(&out, "ok", "runs", "locks: work");
    has(&out, "ok", "runs", "fsync of a file: ");
    has(&out, "ok", "runs", "fsync of the folder: ");
    has(&out, "ok", "runs", "rename over a file: works");
    has(&out, "note", "slurm", "sbatch: not on PATH");
    has(&out, "note", "slurm", "not inside a job");
    let left = fs::read_dir(place.root()).unwrap().count();
    assert_eq!(left, 0, "something was left behind");
}

#[test]
fn settings_come_with_their_sources_and_without_the_token() {
    let place = Place::new();
    let secret = "hf_nobody-may-see-this";
    place.write("hub/hub/models--roberta-base/snapshots/a/config.json", "{}");
    let home = place.path("hub");
    let mut command = place.mezo(["doctor"]);
    command
        .env("HF_HOME", &home)
        .env("HF_TOKEN", secret)
        .env("HF_HUB_OFFLINE", "1")
        .env("SLURM_JOB_ID", "17")
        .env("CUDA_VISIBLE_DEVICES", "0,1");
    let out = said(&mut command, 0);
    let home = home.display();
    has(
        &out,
        "ok",
        "caches",
        &format!("HF_HOME: {home} (from HF_HOME)"),
    );
    let cache = format!("HF_HUB_CACHE: {home}/hub (the default, by HF_HOME)");
    has(&out, "ok", "caches", &cache);
    has(
        &out,
        "ok",
        "caches",
        "HF_TOKEN: there is a token (from HF_TOKEN)",
    );
    has(&out, "note", "caches", "HF_HUB_OFFLINE: on");
    has(&out, "ok", "caches", "1 model in the cache");
    has(&out, "ok", "devices", "CUDA_VISIBLE_DEVICES: 0,1");
    has(&out, "ok", "slurm", "inside job 17");
    assert!(!out.contains(secret), "{out}");

    place.write("hub/token", secret);
    let out = said(command.env_remove("HF_TOKEN"), 0);
    let token = format!("HF_TOKEN: there is a token (from the file {home}/token)");
    has(&out, "ok", "caches", &token);
    assert!(!out.contains(secret), "{out}");
}

#[test]
fn a_setting_that_stops_every_fetch_is_wrong() {
    let place = Place::new();
    let mut command = place.mezo(["doctor"]);
    let out = said(command.env("HF_ENDPOINT", "huggingface.co"), 1);
    has(&out, "wrong", "caches", "HF_ENDPOINT is \"huggingface.co\"");
}

#[test]
fn a_file_where_runs_should_lie_is_wrong() {
    let place = Place::new();
    place.write("file", "");
    for runs_dir in ["file", "file/runs"] {
        let out = said(&mut place.mezo(["doctor", "--runs-dir", runs_dir]), 1);
        has(&out, "wrong", "runs", "file is not a folder");
        // The rest is said all the same.
        has(&out, "note", "slurm", "not inside a job");
    }
}

#[test]
fn slurm_is_found_on_path() {
    let place = Place::new();
    let program = |name: &str, script: &str| {
        place.write(name, &format!("#!/bin/sh\n{script}\n"));
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(place.path(name), executable).unwrap();
    };
    program(
        "bin/sbatch",
        r#"[ "$*" = --version ] && echo slurm 23.02.6"#,
    );
    program("bin/squeue", "exit 1");
    let bin = place.path("bin");
    let out = said(place.mezo(["doctor"]).env("PATH", &bin), 0);
    let sbatch = format!("sbatch: {}", bin.join("sbatch").display());
    has(&out, "ok", "slurm", &sbatch);
    has(&out, "ok", "slurm", "sbatch --version: slurm 23.02.6");
    has(&out, "ok", "slurm", "squeue: ");
    has(&out, "note", "slurm", "scontrol: not on PATH");
}
