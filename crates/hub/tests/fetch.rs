//! A fetch where all goes well: the cache afterwards is the one that Python would have left.
#![allow(clippy::unwrap_used, missing_docs)]
#![allow(dead_code, reason = "the support module is shared by several tests")]

mod support;

use std::collections::BTreeMap;
use std::fs;

use mezo_hub::{HubError, Repo, Snapshot, Wanted};
use support::fake_hub::{COMMIT, FakeRepo, git_sha1, sha256};
use support::{Told, World, model, roberta, weights};

#[test]
fn the_cache_is_laid_out_as_python_lays_it_out() {
    let world = World::new();
    let mut told = Told::default();
    let found = world.fetch(&mut told).unwrap();
    let folder = world.at("snapshots").join(COMMIT);
    assert_eq!(found.commit, COMMIT);
    assert_eq!(found.folder, folder);
    let mut expected = BTreeMap::new();
    expected.insert(
        "models--roberta-large/refs/main".to_owned(),
        COMMIT.to_owned(),
    );
    for (name, (bytes, lfs)) in roberta().files {
        if !["config.json", "tokenizer.json", "model.safetensors"].contains(&name.as_str()) {
            continue;
        }
        let hash = if lfs {
            sha256(&bytes)
        } else {
            git_sha1(&bytes)
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        expected.insert(format!("models--roberta-large/blobs/{hash}"), text);
        let link = format!("models--roberta-large/snapshots/{COMMIT}/{name}");
        expected.insert(link, format!("-> ../../blobs/{hash}"));
        let lock = format!(".locks/models--roberta-large/{hash}.lock");
        expected.insert(lock, String::new());
        assert_eq!(fs::read(folder.join(&name)).unwrap(), bytes);
    }
    assert_eq!(world.tree(), expected);
    assert_eq!(
        told.lines,
        [
            "done config.json 25",
            "done tokenizer.json 2",
            "done model.safetensors 200000"
        ]
    );
    let of_weights: Vec<_> = told
        .bytes
        .iter()
        .filter(|(name, ..)| name == "model.safetensors")
        .collect();
    assert!(of_weights.len() > 3 && of_weights.is_sorted());
    assert!(
        of_weights
            .iter()
            .all(|(_, done, of)| *of == 200_000 && done <= of)
    );
    assert_eq!(of_weights.last().unwrap().1, 200_000);
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let world = World::new();
    let first = world.fetch(&mut Told::default()).unwrap();
    let before = (world.fake.seen().len(), world.tree());
    // A commit is for ever: nobody is asked.
    assert_eq!(world.fetch_at(COMMIT, &mut Told::default()).unwrap(), first);
    assert_eq!((world.fake.seen().len(), world.tree()), before);
    // A branch may have moved: one question.
    assert_eq!(world.fetch(&mut Told::default()).unwrap(), first);
    assert_eq!(
        (world.fake.seen().len(), world.tree()),
        (before.0 + 1, before.1)
    );
    assert_eq!(world.hub(&[]).locate(&model(), "main"), Some(first));
}

#[test]
fn a_blob_that_is_there_only_gets_its_name() {
    let world = World::new();
    world.put(format!("blobs/{}", sha256(&weights())), &weights());
    world.fetch(&mut Told::default()).unwrap();
    assert_eq!(world.fake.ranges("cdn"), []);
    // A link whose blob was deleted is made good.
    fs::remove_file(world.at("blobs").join(git_sha1(b"{}"))).unwrap();
    assert_eq!(world.hub(&[]).locate(&model(), "main"), None);
    world.fetch(&mut Told::default()).unwrap();
    assert!(world.hub(&[]).locate(&model(), "main").is_some());
}

#[test]
fn only_what_a_model_is_read_from_is_fetched() {
    let mut repo = roberta();
    repo.files.remove("tokenizer.json");
    let world = World::with("roberta-large", repo);
    let found = world.fetch(&mut Told::default()).unwrap();
    assert_eq!(
        names(&found),
        [
            "config.json",
            "merges.txt",
            "model.safetensors",
            "vocab.json"
        ]
    );
}

#[test]
fn weights_in_parts_come_with_every_part() {
    let index =
        r#"{"weight_map": {"x": "b.safetensors", "y": "a.safetensors", "z": "b.safetensors"}}"#;
    let files: [(&str, &[u8]); 6] = [
        ("config.json", b"{}"),
        ("tokenizer.json", b"{}"),
        ("model.safetensors.index.json", index.as_bytes()),
        ("a.safetensors", b"1"),
        ("b.safetensors", b"22"),
        ("c.safetensors", b"333"),
    ];
    let world = World::with("roberta-large", FakeRepo::new("main", &files));
    let found = world.fetch(&mut Told::default()).unwrap();
    assert_eq!(
        names(&found),
        [
            "a.safetensors",
            "b.safetensors",
            "config.json",
            "model.safetensors.index.json",
            "tokenizer.json"
        ]
    );
    world.fake.repo("roberta-large", |repo| {
        let index = br#"{"weight_map": {"x": "../../../a"}}"#.to_vec();
        repo.files
            .insert("model.safetensors.index.json".into(), (index, false));
    });
    fs::remove_dir_all(world.at("snapshots")).unwrap();
    let error = world.fetch(&mut Told::default()).unwrap_err();
    assert!(matches!(error, HubError::Answer { .. }), "{error}");
}

fn names(snapshot: &Snapshot) -> Vec<String> {
    let entries = fs::read_dir(&snapshot.folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn data_sets_have_branches_and_files_in_folders() {
    let files: [(&str, &[u8]); 2] = [
        ("default/train/0000.parquet", b"PAR1"),
        ("a b/c.parquet", b"PAR2"),
    ];
    let world = World::with(
        "datasets/CogComp/trec",
        FakeRepo::new("refs/convert/parquet", &files),
    );
    let repo = Repo::dataset("CogComp/trec").unwrap();
    let wanted = Wanted::Files(&["default/train/0000.parquet", "a b/c.parquet"]);
    let hub = world.hub(&[]);
    let found = hub
        .fetch(&repo, "refs/convert/parquet", wanted, &mut ())
        .unwrap();
    let tree = world.tree();
    let text = |name: &str| tree[&format!("datasets--CogComp--trec/{name}")].clone();
    assert_eq!(text("refs/refs/convert/parquet"), COMMIT);
    assert_eq!(
        text(&format!("snapshots/{COMMIT}/default/train/0000.parquet")),
        format!("-> ../../../../blobs/{}", sha256(b"PAR1"))
    );
    assert_eq!(
        fs::read(found.folder.join("a b/c.parquet")).unwrap(),
        b"PAR2"
    );
    assert_eq!(hub.locate(&repo, "refs/convert/parquet"), Some(found));
}

#[test]
fn the_token_goes_to_the_hub_and_nowhere_else() {
    for by_file in [true, false] {
        let world = World::new();
        world
            .fake
            .repo("roberta-large", |repo| repo.token = Some("hf_secret"));
        let vars: &[(&str, &str)] = if by_file {
            fs::write(world.dir.path().join("token"), "hf_secret\n").unwrap();
            &[]
        } else {
            &[("HF_TOKEN", "hf_secret")]
        };
        world
            .hub(vars)
            .fetch(&model(), "main", Wanted::Model, &mut ())
            .unwrap();
        let seen = world.fake.seen();
        assert!(seen.iter().any(|seen| seen.host == "cdn"));
        for seen in seen {
            let expected = (seen.host == "hub").then(|| "Bearer hf_secret".to_owned());
            assert_eq!(seen.authorization, expected, "{seen:?}");
        }
    }
}

#[test]
fn offline_takes_what_is_there_and_says_what_is_not() {
    let world = World::new();
    let offline = [("HF_HUB_OFFLINE", "1")];
    let error = world.fails(&offline, &model(), Wanted::Model);
    assert_eq!(
        world.said(&error),
        "HF_HUB_OFFLINE is set, and HOME/hub does not hold the commit of roberta-large at main"
    );
    assert!(error.hint().unwrap().contains("unset HF_HUB_OFFLINE"));
    assert_eq!(world.fake.seen(), []);
    let found = world.fetch(&mut Told::default()).unwrap();
    let hub = world.hub(&offline);
    assert_eq!(
        hub.fetch(&model(), "main", Wanted::Model, &mut ()).unwrap(),
        found
    );
    fs::remove_file(world.at("blobs").join(sha256(&weights()))).unwrap();
    fs::remove_file(found.folder.join("tokenizer.json")).unwrap();
    let error = world.fails(&offline, &model(), Wanted::Model);
    assert_eq!(
        world.said(&error),
        "HF_HUB_OFFLINE is set, and HOME/hub does not hold tokenizer.json, model.safetensors of roberta-large at main"
    );
}
