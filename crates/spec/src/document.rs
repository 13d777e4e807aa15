//! A spec: one TOML file that names a sweep.

use std::ops::Range;
use std::path::Path;

use crate::base::Base;
use crate::literal::Literal;
use crate::source::Source;
use crate::sweep::grid::Grid;

/// A spec whose name, values and `[sweep]` are sound. The rules that go over several keys are held run by run:
/// [`Spec::runs`](crate::Spec::runs).
#[derive(Debug)]
pub struct Spec {
    pub(crate) source: Source,
    pub(crate) name: String,
    /// At least one; without `[sweep]`, one without dimensions.
    pub(crate) grids: Vec<Grid>,
    pub(crate) base: Base,
}

impl Spec {
    /// The sweep's name, which is a plain folder name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The spec's path as it was given.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// The folder the spec lies in; relative paths in the spec start there.
    pub fn folder(&self) -> &Path {
        match self.source.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// The text the spec was read from.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// Where a key is swept, in the first grid that does.
    pub(crate) fn axis_span(&self, key: &str) -> Option<Range<usize>> {
        let mut axes = self.grids.iter().flat_map(|grid| grid.axes());
        axes.find(|axis| axis.key == key)
            .map(|axis| axis.span.clone())
    }

    pub(crate) fn grids(&self) -> &[Grid] {
        &self.grids
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// What the spec's own tables say of a key.
    pub(crate) fn own(&self, path: &str) -> Option<&Literal> {
        self.base.values.get(path)
    }

    /// Whether a table or a key stands in the spec's own tables, sound or not.
    pub(crate) fn stands(&self, path: &str) -> bool {
        self.base.places.contains_key(path)
    }
}

/// `a.b` and `a` of `a.b.c`.
pub(crate) fn parents(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('.').map(|(at, _)| &key[..at])
}
