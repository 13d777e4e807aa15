//! From a spec's text to a spec, with everything that is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::base::Base;
use crate::document::Spec;
use crate::error::{SpecError, SpecErrors};
use crate::excerpt::Excerpt;
use crate::hint::plain_character;
use crate::literal::Literal;
use crate::points::faults_of;
use crate::problem::{MAX_NAME, Problem};
use crate::source::Source;
use crate::sweep::grid;

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

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> SpecError {
    let bytes = error.as_bytes();
    let good = error.utf8_error().valid_up_to();
    let byte = bytes.get(good).copied().unwrap_or_default();
    // All before the bad byte is text, so its length is the same in the lossy text.
    let excerpt = Excerpt::new(&String::from_utf8_lossy(bytes), good..good + 1);
    SpecError::new(path, Some(excerpt), Problem::NotUtf8 { byte })
}
