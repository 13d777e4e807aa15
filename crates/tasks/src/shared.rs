//! What the splits of several seeds share, read and put into tokens once.

use std::rc::Rc;

use crate::error::TaskError;
use crate::prompt::Example;
use crate::read::Table;

/// The rows that splits are drawn from, and the test rows in tokens, of the task that was read last.
#[derive(Default)]
pub struct Shared {
    source: Option<(String, Rc<SourceRows>)>,
    test: Option<(String, Rc<Vec<Example>>)>,
}

/// The rows that splits are drawn from.
pub(crate) struct SourceRows {
    pub(crate) train: Table,
    pub(crate) test: Table,
    /// The SHA-256 of the train rows.
    pub(crate) sha256: String,
}

impl Shared {
    /// The rows that splits are drawn from; `key` says whose.
    pub(crate) fn source(
        &mut self,
        key: String,
        read: impl FnOnce() -> Result<SourceRows, TaskError>,
    ) -> Result<Rc<SourceRows>, TaskError> {
        once(&mut self.source, key, read)
    }

    /// The test rows in tokens; `key` says all that decides them.
    pub(crate) fn test(
        &mut self,
        key: String,
        encode: impl FnOnce() -> Result<Vec<Example>, TaskError>,
    ) -> Result<Rc<Vec<Example>>, TaskError> {
        once(&mut self.test, key, encode)
    }
}

/// What is kept under this key, else what `make` gives, which is kept from now on.
fn once<T>(
    kept: &mut Option<(String, Rc<T>)>,
    key: String,
    make: impl FnOnce() -> Result<T, TaskError>,
) -> Result<Rc<T>, TaskError> {
    match kept {
        Some((known, value)) if *known == key => Ok(Rc::clone(value)),
        _ => {
            // There is never a second one in memory.
            *kept = None;
            let value = Rc::new(make()?);
            *kept = Some((key, Rc::clone(&value)));
            Ok(value)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use mezo_spec::{Cut, TaskConfig};
    use mezo_weights::ModelFiles;

    use super::*;
    use crate::{Examples, Task, Tokenizer};

    #[test]
    fn what_is_kept_is_made_once() {
        let mut kept = None;
        let mut made = 0;
        for key in ["a", "a", "b", "b", "a"] {
            let value = once(&mut kept, key.to_owned(), || {
                made += 1;
                Ok(key)
            });
            assert_eq!(*value.unwrap(), key);
        }
        assert_eq!(made, 3);
    }

    #[test]
    fn seeds_share_their_test_rows_and_nothing_else() {
        let task = Task::by_name("made-sentiment").unwrap();
        let config = TaskConfig {
            name: task.name().into(),
            data: None,
            k: 4,
            test_cap: 20,
            prompt: true,
            template: task.template().unwrap().as_str().into(),
            label_words: task.label_words(),
            max_length: task.max_length(),
            cut: Cut::Tail,
        };
        let files = ModelFiles::builtin("roberta-imdb-tiny").unwrap();
        let tokenizer = Tokenizer::of(&files).unwrap();
        let read = |seed, shared: &mut Shared| {
            Examples::read(&config, Some(seed), &tokenizer, Path::new(""), shared).unwrap()
        };
        let mut shared = Shared::default();
        let [first, second] = [13, 21].map(|seed| read(seed, &mut shared));
        assert!(Rc::ptr_eq(&first.test, &second.test));
        assert_ne!(first.sha256, second.sha256);
        for (seed, found) in [(13, first), (21, second)] {
            let alone = read(seed, &mut Shared::default());
            assert_eq!(format!("{found:?}"), format!("{alone:?}"));
        }
        let mut other = config.clone();
        other.template = "*cls**sent_0*_All_was*mask*.*sep+*".into();
        let other = Examples::read(&other, Some(13), &tokenizer, Path::new(""), &mut shared);
        let own = read(13, &mut Shared::default());
        assert_ne!(other.unwrap().test[0].ids, own.test[0].ids);
    }
}
