//! Where the hub's cache lies, which hub is asked and in whose name, each with what says so.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use mezo_hub::HubError;
use mezo_hub::environment::Origins;
use mezo_hub::{Source, Sourced};

use super::fact::{Fact, note, ok, wrong};

/// What the name of a model's folder begins with, as Python's `huggingface_hub` gives it.
const MODEL: &str = "models--";

/// Every setting of the hub, and what is in its cache.
pub fn facts() -> Vec<Fact> {
    let origins = Origins::from_env();
    let mut facts = vec![
        folder("HF_HOME", origins.home.as_ref()),
        folder("HF_HUB_CACHE", origins.cache.as_ref()),
        endpoint(&origins.endpoint),
        token(&origins.token()),
        offline(&origins.offline),
    ];
    facts.extend(origins.cache.map(|cache| content(&cache.value)));
    facts
}

fn setting(name: &str, value: impl Display, source: &Source) -> Fact {
    ok(format!("{name}: {value} ({source})"))
}

/// A folder. Without one nothing can be fetched, but whoever has model and data at hand fetches nothing.
fn folder(name: &str, found: Option<&Sourced<PathBuf>>) -> Fact {
    match found {
        Some(Sourced { value, source }) => setting(name, value.display(), source),
        None => note(format!(
            "{name}: none, for HOME is not set; nothing can be fetched"
        )),
    }
}

fn endpoint(found: &Result<Sourced<String>, HubError>) -> Fact {
    match found {
        Ok(Sourced { value, source }) => setting("HF_ENDPOINT", value, source),
        Err(error) => failed(error),
    }
}

/// Whether there is a token. What it is stands nowhere.
fn token(found: &Result<Option<Source>, HubError>) -> Fact {
    match found {
        Ok(Some(source)) => setting("HF_TOKEN", "there is a token", source),
        Ok(None) => note("HF_TOKEN: no token; private and gated repositories need one"),
        Err(error) => failed(error),
    }
}

fn offline(found: &Sourced<bool>) -> Fact {
    match found {
        Sourced {
            value: true,
            source,
        } => note(format!("HF_HUB_OFFLINE: on, nothing is fetched ({source})")),
        Sourced { source, .. } => setting("HF_HUB_OFFLINE", "off", source),
    }
}

fn failed(error: &HubError) -> Fact {
    match error.hint() {
        Some(hint) => wrong(format!("{error}; {hint}")),
        None => wrong(error.to_string()),
    }
}

/// What is in the cache.
fn content(cache: &Path) -> Fact {
    match models(cache) {
        Ok(1) => ok("1 model in the cache"),
        Ok(models) => ok(format!("{models} models in the cache")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            note("the cache is not there yet; the first download makes it")
        }
        Err(error) => wrong(format!("the cache cannot be read: {error}")),
    }
}

/// How many models have files in a cache.
fn models(cache: &Path) -> io::Result<usize> {
    let mut models = 0;
    for entry in fs::read_dir(cache)? {
        let entry = entry?;
        let is_model = entry.file_name().to_string_lossy().starts_with(MODEL);
        // A model that was only asked about has a folder, but no snapshot in it.
        models += usize::from(is_model && entry.path().join("snapshots").is_dir());
    }
    Ok(models)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::fact::Word;
    use super::*;

    #[test]
    fn models_are_counted_by_their_snapshots() {
        let cache = tempfile::tempdir().unwrap();
        let make = |path: &str| fs::create_dir_all(cache.path().join(path)).unwrap();
        assert_eq!(content(cache.path()), ok("0 models in the cache"));
        make("models--roberta-large/snapshots/a");
        make("models--roberta-base/refs");
        make("datasets--glue/snapshots/a");
        assert_eq!(content(cache.path()), ok("1 model in the cache"));
        assert_eq!(content(&cache.path().join("none")).word, Word::Note);
        let file = cache.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(content(&file).word, Word::Wrong);
    }

    #[test]
    fn what_is_wrong_comes_with_a_way_out() {
        let found = "here".to_owned();
        let fact = endpoint(&Err(HubError::Endpoint { found }));
        assert_eq!(fact.word, Word::Wrong);
        assert!(fact.text.contains("unset it"), "{}", fact.text);
    }
}
