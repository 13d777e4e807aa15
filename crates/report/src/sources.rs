//! What a run started from and was measured on, told by hashes and not by paths.

use mezo_run::Manifest;
use mezo_spec::TaskSpec;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The settings that tell cells apart whose configurations are the same.
pub(crate) const NAMES: [&str; 6] = [
    "weights",
    "model_config",
    "tokenizer",
    "train_data",
    "test_data",
    "made_by",
];
const TRAIN_DATA: usize = 3;

/// Weights, the model's config, tokenizer, train and test rows, and the layout of the manifest. The same folder may hold
/// other weights tomorrow, and the same data may lie in two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sources([String; NAMES.len()]);

impl Sources {
    /// The hashes of a manifest. Where a manifest has no hash, its path has to do.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let or = |hash: &str, place: Option<String>| match hash {
            "" => place.unwrap_or_default(),
            hash => hash.to_owned(),
        };
        let model = || {
            let mut values = manifest.config.clone();
            values.retain(|path| path.starts_with("model."));
            let mut places = values.iter().filter_map(|(_, place)| place.as_str());
            places.next().map(str::to_owned)
        };
        let data = manifest.config.text(&TaskSpec::DATA).map(str::to_owned);
        let config = match &manifest.model_config {
            Value::Null => String::new(),
            config => hash_of(&config.to_string()),
        };
        Self([
            or(&manifest.weights_sha256, model()),
            config,
            manifest.tokenizer_sha256.clone(),
            manifest.source_sha256.clone(),
            or(&manifest.test_sha256, data),
            match manifest.is_earlier() {
                true => "an earlier version".to_owned(),
                false => String::new(),
            },
        ])
    }

    /// Tells the train rows by those of the run's own split, where nothing is known of the rows that it was drawn from.
    pub(crate) fn with_split(&mut self, data_sha256: &str) {
        if self.0[TRAIN_DATA].is_empty() {
            data_sha256.clone_into(&mut self.0[TRAIN_DATA]);
        }
    }

    /// All of it as one text.
    pub(crate) fn key(&self) -> String {
        self.0.join("|")
    }

    /// The same without the rows that are trained on: a zero-shot run has none.
    pub(crate) fn test_key(&self) -> String {
        let mut sources = self.0.clone();
        sources[TRAIN_DATA].clear();
        sources.join("|")
    }

    /// Which of the sources are not the same for all.
    pub(crate) fn differing(all: &[&Self]) -> [bool; NAMES.len()] {
        std::array::from_fn(|at| all.windows(2).any(|pair| pair[0].0[at] != pair[1].0[at]))
    }

    /// The marked ones as settings, a hash by its first digits.
    pub(crate) fn settings(
        &self,
        marked: [bool; NAMES.len()],
    ) -> impl Iterator<Item = (String, String)> + '_ {
        let named = NAMES.into_iter().zip(&self.0).zip(marked);
        named
            .filter(|(_, marked)| *marked)
            .map(|((name, source), _)| (name.to_owned(), short(source)))
    }
}

fn hash_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn short(source: &str) -> String {
    const DIGITS: usize = 8;
    let hash = source.len() == 64 && source.bytes().all(|byte| byte.is_ascii_hexdigit());
    match source {
        "" => "unknown".to_owned(),
        _ if hash => source[..DIGITS].to_owned(),
        path => path.to_owned(),
    }
}
