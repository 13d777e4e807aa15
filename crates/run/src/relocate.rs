//! Relative paths of a manifest: they start at the spec's folder when planned, at the run directory when written.

use std::path::{Path, PathBuf};

/// A relative path that starts at `from`, as it reads from `to`. Absolute paths stay as they are.
///
/// Links are followed on both sides first: a `..` behind a link leads elsewhere than its name says.
pub(crate) fn relocated(path: &Path, from: &Path, to: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.into();
    }
    let (target, start) = (physical(&from.join(path)), physical(to));
    let shared = target
        .components()
        .zip(start.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = start
        .components()
        .skip(shared)
        .map(|_| std::path::Component::ParentDir);
    up.chain(target.components().skip(shared)).collect()
}

/// The absolute path without links, as far as it exists; the rest by its names.
fn physical(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut rest = Vec::new();
    let mut known = absolute.as_path();
    loop {
        if let Ok(found) = known.canonicalize() {
            return rest.iter().rev().fold(found, |path, part| path.join(part));
        }
        match (known.parent(), known.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                known = parent;
            }
            _ => return absolute,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_from_the_run_directory() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for dir in ["a/experiments", "data", "scratch/deep/runs"] {
            std::fs::create_dir_all(at(dir)).unwrap();
        }
        let from = at("a/experiments");
        let reads = |path: &str, to: &Path| relocated(Path::new(path), &from, to);
        assert_eq!(
            reads("../../data", &at("a/runs/s/id")),
            Path::new("../../../../data")
        );
        assert_eq!(
            reads("m", &at("a/runs/s/id")),
            Path::new("../../../experiments/m")
        );
        assert_eq!(reads("/x/y", &at("a/runs/s/id")), Path::new("/x/y"));

        std::os::unix::fs::symlink(at("scratch/deep/runs"), at("a/runs")).unwrap();
        let run = at("a/runs/s/id");
        std::fs::create_dir_all(&run).unwrap();
        let data = run.join(reads("../../data", &run));
        assert_eq!(
            data.canonicalize().unwrap(),
            at("data").canonicalize().unwrap()
        );
    }
}
