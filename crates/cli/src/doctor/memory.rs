//! How much memory there is, and how much of it this process may have.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::fact::{Fact, note, ok};
use crate::output::size;

const MEMINFO: &str = "/proc/meminfo";
/// Which control groups this process is in.
const GROUPS: &str = "/proc/self/cgroup";
/// Where their limits lie.
const TREE: &str = "/sys/fs/cgroup";

/// Memory of the machine, and the control group's limit if one applies.
pub fn facts() -> Vec<Fact> {
    let text = match fs::read_to_string(MEMINFO) {
        Ok(text) => text,
        Err(error) => return vec![note(format!("{MEMINFO} cannot be read: {error}"))],
    };
    let total = entry(&text, "MemTotal");
    let mut facts = vec![
        told("total", total),
        told("available", entry(&text, "MemAvailable")),
    ];
    let groups = fs::read_to_string(GROUPS).unwrap_or_default();
    // No limit is a limit beyond all memory in the older kind of control groups.
    let limit = limit(Path::new(TREE), &groups).filter(|&limit| total.is_none_or(|it| limit < it));
    facts.extend(limit.map(|limit| ok(format!("limit of the control group: {}", size(limit)))));
    facts
}

fn told(what: &str, bytes: Option<u64>) -> Fact {
    match bytes {
        Some(bytes) => ok(format!("{what}: {}", size(bytes))),
        None => note(format!("{what}: {MEMINFO} does not say")),
    }
}

/// An entry of `/proc/meminfo`, in bytes.
fn entry(meminfo: &str, key: &str) -> Option<u64> {
    let value = meminfo
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The least limit of the control groups that a process is in: each lies in others, whose limits hold too.
fn limit(tree: &Path, groups: &str) -> Option<u64> {
    let read = |file: &PathBuf| -> Option<u64> {
        let text = fs::read_to_string(file).ok()?;
        // Where there is no limit the word is `max`.
        text.trim().parse().ok()
    };
    files(tree, groups).iter().filter_map(read).min()
}

/// Where limits of these control groups may stand. In a container the group's own path is often not there, but its
/// limits stand at the root.
fn files(tree: &Path, groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let (root, name) = match controllers {
            "" => (tree.to_owned(), "memory.max"),
            some if some.split(',').any(|it| it == "memory") => {
                (tree.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let inside: PathBuf = Path::new(path)
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .collect();
        files.extend(inside.ancestors().map(|group| root.join(group).join(name)));
    }
    files
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_bytes() {
        let text = "MemTotal:       24684084 kB\nMemFree:  1 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(entry(text, "MemTotal"), Some(24_684_084 << 10));
        assert_eq!(entry(text, "MemAvailable"), Some(2 << 20));
        assert_eq!(entry(text, "Mem"), None);
        assert_eq!(entry("MemTotal: much kB\n", "MemTotal"), None);
    }

    fn write(tree: &Path, file: &str, text: &str) {
        let file = tree.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn the_least_limit_on_the_way_to_the_root_holds() {
        let tree = tempfile::tempdir().unwrap();
        let of = |groups| limit(tree.path(), groups);
        assert_eq!(of("0::/user/job\n"), None);
        write(tree.path(), "user/job/memory.max", "max\n");
        assert_eq!(of("0::/user/job\n"), None);
        write(tree.path(), "user/memory.max", "2048\n");
        write(tree.path(), "memory.max", "4096\n");
        assert_eq!(of("0::/user/job\n"), Some(2048));
        // Out of sight, as in a container.
        assert_eq!(of("0::/../other\n"), Some(4096));
    }

    #[test]
    fn the_older_kind_of_groups_has_a_tree_of_its_own() {
        let tree = tempfile::tempdir().unwrap();
        write(tree.path(), "memory/a/memory.limit_in_bytes", "1024\n");
        write(tree.path(), "memory.max", "1\n");
        let groups = "9:name=systemd:/\n4:hugetlb,memory:/a/b\n3:cpuset:/\n";
        assert_eq!(limit(tree.path(), groups), Some(1024));
        assert_eq!(limit(tree.path(), "no group\n"), None);
    }
}
