//! A file on its way into the cache where things go wrong: it goes on where it stopped, or says what is wrong; nothing
//! wrong is kept.
#![allow(clippy::unwrap_used, missing_docs)]
#![allow(dead_code, reason = "the support module is shared by several tests")]

mod support;

use std::fs;
use std::time::Duration;

use mezo_hub::HubError;
use support::fake_hub::{Fault, sha256};
use support::{Told, WEIGHTS, World, incomplete, model, weights, whole};

fn from(byte: usize) -> Option<String> {
    Some(format!("bytes={byte}-"))
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
