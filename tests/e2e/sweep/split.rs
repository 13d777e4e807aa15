//! Splits written by `mezo data split`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _; // straight to stderr: what a passing test prints is not shown
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use crate::common::{Place, assert_same, ended, files, text};

#[test]
fn a_made_split_is_written_in_the_published_layout() {
    let place = Place::new();
    for out in ["one", "two"] {
        let said = place.exits(
            0,
            &format!("data split --task made-sentiment --k 16 --seed 13 --out {out}"),
        );
        let expected =
            ["train", "dev", "test"].map(|part| format!("{out}/made-sentiment/16-13/{part}.tsv\n"));
        assert_eq!(text(&said.stdout), expected.concat());
    }
    let split = |out: &str| files(&place.path(out).join("made-sentiment/16-13"));
    assert_same(&split("two"), &split("one"), "the same split");
    let rows = |part: &str| -> Vec<String> {
        text(&split("one")[part])
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let mut seen = BTreeSet::new();
    for part in ["train.tsv", "dev.tsv"] {
        let rows = rows(part);
        assert_eq!(rows[0], "sentence\tlabel");
        for label in ["0", "1"] {
            assert_eq!(
                rows.iter()
                    .filter(|row| row.ends_with(&format!("\t{label}")))
                    .count(),
                16,
                "{part}"
            );
        }
        assert!(
            rows[1..].iter().all(|row| seen.insert(row.clone())),
            "{part} holds a row twice"
        );
    }
    assert!(rows("test.tsv").len() > 500);
    place.exits(
        0,
        "data split --task made-sentiment --k 16 --seed 21 --out one",
    );
    assert!(
        files(&place.path("one/made-sentiment/16-21"))["train.tsv"] != split("one")["train.tsv"]
    );
}

#[test]
fn a_split_of_real_data_is_the_published_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap();
    let shared = std::env::var_os("MEZO_SHARED").map_or(root.join("../shared"), PathBuf::from);
    let (data, sums) = (
        shared.join("data/lmbff"),
        shared.join("data/kshot16/checksum"),
    );
    if !(data.join("SST-2").is_dir() && sums.is_file()) {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: the published SST-2 split (no shared folder at {})",
            shared.display()
        );
        return;
    }
    let place = Place::new();
    let mut command = place.mezo([
        "data", "split", "--task", "sst-2", "--k", "16", "--seed", "13", "--out", "out",
    ]);
    ended(command.arg("--data").arg(data), 0);
    let sums = fs::read_to_string(sums).unwrap();
    for part in ["train", "dev"] {
        let file = format!("SST-2/16-13/{part}.tsv");
        let sum = Md5::digest(fs::read(place.path("out").join(&file)).unwrap());
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            sums.lines().any(|line| line == format!("{sum}  {file}")),
            "{file}: {sum}"
        );
    }
}
