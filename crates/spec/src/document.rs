//! A spec: one TOML file that names a sweep.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::base::Base;
use crate::error::{SpecError, SpecErrors};
use crate::excerpt::Excerpt;
use crate::literal::Literal;
use crate::points::{Overrides, Point, faults_of};
use crate::problem::{MAX_NAME, Problem};
use crate::source::Source;
use crate::sweep::axis::path_of;
use crate::sweep::grid::{self, Grid};

/// A spec whose name, values and `[sweep]` are sound. The rules that go over several keys are held run by run:
/// [`Spec::runs`](crate::Spec::runs).
#[derive(Debug)]
pub struct Spec {
    source: Source,
    name: String,
    /// At least one; without `[sweep]`, one without dimensions.
    grids: Vec<Grid>,
    base: Base,
}

impl Spec {
    /// Reads the spec at `path`.
    ///
    /// # Errors
    /// As [`Spec::parse`], and if the file cannot be read or is no text.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SpecErrors> {
        let path = path.as_ref();
        let bytes = fs::read(path)
            .map_err(|error| SpecError::new(path, None, Problem::Unreadable(error)))?;
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(path, text),
            Err(error) => Err(not_utf8(path, &error).into()),
        }
    }

    /// Reads a spec from `text`; `path` stands for it in errors and decides [`Spec::folder`].
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn parse(path: impl Into<PathBuf>, text: impl Into<String>) -> Result<Self, SpecErrors> {
        let source = Source {
            path: path.into(),
            text: text.into(),
        };
        let mut errors = Vec::new();
        let (name, grids, base) = {
            let mut tables = source.parse().map_err(SpecErrors::new)?;
            let name = take_name(&mut tables, &source);
            let name = name.unwrap_or_else(|error| {
                errors.push(error);
                String::new()
            });
            let grids = grid::take(&mut tables, &source);
            let base = Base::read(&tables, &source, &mut errors);
            (name, grids, base)
        };
        let grids = match grids {
            Ok(grids) => grids,
            Err(wrong) => {
                errors.extend(wrong);
                return Err(SpecErrors::new(errors));
            }
        };
        let sound = errors.len();
        for grid in &grids {
            errors.extend(grid.check_clashes(&base.places, &source).err());
        }
        errors.extend(grid::check_size(&grids, &source).err());
        if errors.len() == sound {
            for grid in &grids {
                errors.extend(grid.check_left(&source).err());
            }
        }
        let expands = errors.len() == sound;
        let spec = Self {
            source,
            name,
            grids,
            base,
        };
        if errors.is_empty() {
            return Ok(spec);
        }
        if expands {
            errors.extend(faults_of(&spec));
        }
        Err(SpecErrors::new(errors))
    }

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

    /// An error about the value that `key` (`train.lr` or a short name) has at `point`: at the
    /// swept value, else at the key's own, else at its table.
    pub fn error_at(
        &self,
        point: Option<&Point<'_>>,
        key: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> SpecError {
        let message = message.into();
        self.problem_at(point, path_of(key), Problem::Value { message, hint })
    }

    pub(crate) fn problem_at(
        &self,
        point: Option<&Point<'_>>,
        key: &str,
        problem: Problem,
    ) -> SpecError {
        let own = |key: &str| self.base.places.get(key).cloned();
        let span = match point {
            Some(point) => point.span_of(key),
            None => self.axis_span(key),
        };
        let span = span
            .or_else(|| own(key))
            .or_else(|| point.and_then(|point| point.span_within(key)))
            .or_else(|| parents(key).find_map(own));
        self.source.error(span, problem)
    }

    /// An error about a key or a table of a point, whatever its values: where it is swept, else where it stands.
    pub(crate) fn problem_at_key(
        &self,
        point: &Point<'_>,
        key: &str,
        problem: Problem,
    ) -> SpecError {
        match point.key_span(key) {
            Some(span) if !self.base.places.contains_key(key) => {
                self.source.error(Some(span), problem)
            }
            _ => self.problem_at(Some(point), key, problem),
        }
    }

    /// Where a key is swept, in the first grid that does.
    fn axis_span(&self, key: &str) -> Option<Range<usize>> {
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

    /// The runs of the spec, each with the point it is, in the order of [`Spec::points`]; `overrides` take the place of
    /// what the spec says.
    ///
    /// # Errors
    /// With every rule that a run breaks, each thing once for all runs.
    pub fn runs(
        &self,
        overrides: &Overrides,
    ) -> Result<Vec<(Point<'_>, crate::run::RunSpec)>, SpecErrors> {
        crate::points::runs(self, overrides)
    }
}

/// `a.b` and `a` of `a.b.c`.
pub(crate) fn parents(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('.').map(|(at, _)| &key[..at])
}

fn take_name(tables: &mut DeTable<'_>, source: &Source) -> Result<String, SpecError> {
    let Some(value) = tables.remove("name") else {
        return Err(source.error(None, Problem::NameMissing));
    };
    let Some(name) = value.get_ref().as_str() else {
        let problem = Problem::WrongType {
            key: Some("name".into()),
            expected: "a string".into(),
            found: Literal::of_toml(value.get_ref()).words(),
        };
        return Err(source.error(Some(value.span()), problem));
    };
    let first = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !first || name.len() > MAX_NAME || !name.chars().all(plain_character) {
        return Err(source.error(
            Some(value.span()),
            Problem::NameBad {
                name: name.to_owned(),
            },
        ));
    }
    Ok(name.to_owned())
}

pub(crate) fn plain_character(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> SpecError {
    let bytes = error.as_bytes();
    let good = error.utf8_error().valid_up_to();
    let byte = bytes.get(good).copied().unwrap_or_default();
    // All before the bad byte is text, so its length is the same in the lossy text.
    let excerpt = Excerpt::new(&String::from_utf8_lossy(bytes), good..good + 1);
    SpecError::new(path, Some(excerpt), Problem::NotUtf8 { byte })
}
