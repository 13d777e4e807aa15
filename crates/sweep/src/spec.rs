//! A spec: one TOML file that names a sweep.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use crate::axis::{LONGEST_PATH, path_of, type_words};
use crate::error::SpecError;
use crate::excerpt::Excerpt;
use crate::expand::{self, Point};
use crate::grid::{self, Grid};
use crate::problem::{MAX_NAME, Problem};
use crate::translate;

/// A spec whose name and `[sweep]` are sound. What its other tables hold is for the caller to
/// read, point by point: [`Point::deserialize`].
#[derive(Debug)]
pub struct Spec {
    source: Source,
    name: String,
    /// At least one; without `[sweep]`, one without dimensions.
    grids: Vec<Grid>,
    /// Every key outside `[sweep]` by its path, if that is one a key can have.
    places: Places,
}

/// Keys outside `[sweep]` by their paths.
pub(crate) type Places = BTreeMap<String, Place>;

/// Where a key outside `[sweep]` stands.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) span: Range<usize>,
    pub(crate) table: bool,
}

impl Spec {
    /// Reads the spec at `path`.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SpecError> {
        let path = path.as_ref();
        let bytes = fs::read(path)
            .map_err(|error| SpecError::new(path, None, Problem::Unreadable(error)))?;
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(path, text),
            Err(error) => Err(not_utf8(path, &error)),
        }
    }

    /// Reads a spec from `text`; `path` stands for it in errors and decides [`Spec::folder`].
    pub fn parse(path: impl Into<PathBuf>, text: impl Into<String>) -> Result<Self, SpecError> {
        let source = Source {
            path: path.into(),
            text: text.into(),
        };
        let (name, grids, places) = {
            let mut tables = source.parse()?;
            let name = take_name(&mut tables, &source)?;
            let grids = grid::take(&mut tables, &source)?;
            let mut places = BTreeMap::new();
            collect_places(&tables, "", &mut places);
            (name, grids, places)
        };
        for grid in &grids {
            grid.check_clashes(&places, &source)?;
        }
        grid::check_size(&grids, &source)?;
        for grid in &grids {
            grid.check_left(&source)?;
        }
        Ok(Self {
            source,
            name,
            grids,
            places,
        })
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

    /// Every combination of the values of `[sweep]` that it does not leave out, in the order of the
    /// file: its first key varies slowest, and with it those that go beside it. Several grids, each
    /// a `[[sweep]]`, give their points one after the other. Without `[sweep]` there is one point.
    pub fn points(&self) -> Result<Vec<Point<'_>>, SpecError> {
        let mut tables = self.source.parse()?;
        tables.remove("name");
        tables.remove("sweep");
        expand::points(self, tables)
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
        let key = path_of(key);
        let own = |key: &str| self.places.get(key).map(|place| place.span.clone());
        let span = match point {
            Some(point) => point.span_of(key),
            None => self.axis_span(key),
        };
        let span = span
            .or_else(|| own(key))
            .or_else(|| point.and_then(|point| point.span_within(key)))
            .or_else(|| parents(key).find_map(own));
        self.source.error(
            span,
            Problem::Value {
                message: message.into(),
                hint,
            },
        )
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
        let found = type_words(value.get_ref()).to_owned();
        let problem = Problem::WrongType {
            key: Some("name".into()),
            expected: "a string".into(),
            found,
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

fn collect_places(table: &DeTable<'_>, prefix: &str, places: &mut Places) {
    for (key, value) in table {
        let path = format!("{prefix}{}", key.get_ref());
        // Such a key is unknown, which is found where the tables are read.
        if path.len() > LONGEST_PATH {
            continue;
        }
        let inner = value.get_ref().as_table();
        if let Some(inner) = inner {
            collect_places(inner, &format!("{path}."), places);
        }
        places.insert(
            path,
            Place {
                span: value.span(),
                table: inner.is_some(),
            },
        );
    }
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> SpecError {
    let bytes = error.as_bytes();
    let good = error.utf8_error().valid_up_to();
    let byte = bytes.get(good).copied().unwrap_or_default();
    // All before the bad byte is text, so its length is the same in the lossy text.
    let excerpt = Excerpt::new(&String::from_utf8_lossy(bytes), good..good + 1);
    SpecError::new(path, Some(excerpt), Problem::NotUtf8 { byte })
}

/// The text of a spec and its path: what turns a place into an error.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    pub(crate) fn error(&self, span: Option<Range<usize>>, problem: Problem) -> SpecError {
        let excerpt = span.map(|span| Excerpt::new(&self.text, span));
        SpecError::new(&self.path, excerpt, problem)
    }

    pub(crate) fn syntax_error(&self, error: &toml::de::Error) -> SpecError {
        let key = error.span().map(|span| self.slice(span));
        let message = match (error.message(), key) {
            ("duplicate key", Some(key)) => format!("`{key}` is set twice"),
            (message, _) => message.to_owned(),
        };
        self.error(error.span(), Problem::Syntax { message })
    }

    pub(crate) fn deserialize_error(&self, error: &toml::de::Error) -> SpecError {
        // The document as a whole has no place of its own: its span is empty.
        let span = error.span().filter(|span| !span.is_empty());
        self.error(span, translate::problem(error, &self.text))
    }

    /// The line of a byte, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1
    }

    pub(crate) fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    fn parse(&self) -> Result<DeTable<'_>, SpecError> {
        DeTable::parse(&self.text)
            .map(Spanned::into_inner)
            .map_err(|error| self.syntax_error(&error))
    }
}
