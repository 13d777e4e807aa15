//! What a run started from and was measured on, told by hashes and not by paths.

use serde_json::Value;

use crate::manifest::Manifest;

/// The settings that tell cells apart whose configurations are the same.
pub(crate) const NAMES: [&str; 3] = ["weights", "tokenizer", "test_data"];

/// Weights, tokenizer and test rows. The same folder may hold other weights tomorrow, and the same data
/// may lie in two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sources([String; 3]);

impl Sources {
    /// The hashes of a manifest, whose configuration loses its paths. Where a manifest has no hash, its
    /// path has to do.
    pub(crate) fn take(manifest: &Manifest, config: &mut Value) -> Self {
        let mut path = |part: &str, name: &str| {
            let fields = config.get_mut(part).and_then(Value::as_object_mut);
            let path = fields.and_then(|fields| fields.remove(name));
            path.and_then(|path| path.as_str().map(str::to_owned))
        };
        let (folder, data) = (path("model", "path"), path("task", "data"));
        let hub = path("model", "hub");
        let named = |hash: &Option<String>, path: Option<String>| {
            let hash = hash.clone().filter(|hash| !hash.is_empty());
            hash.or(path).unwrap_or_default()
        };
        Self([
            named(&manifest.weights_sha256, folder.or(hub)),
            named(&manifest.tokenizer_sha256, None),
            named(&manifest.test_sha256, data),
        ])
    }

    /// All of it as one text.
    pub(crate) fn key(&self) -> String {
        self.0.join("|")
    }

    /// Which of the sources are not the same for all.
    pub(crate) fn differing(all: &[&Self]) -> [bool; 3] {
        [0, 1, 2].map(|at| all.windows(2).any(|pair| pair[0].0[at] != pair[1].0[at]))
    }

    /// The marked ones as settings, a hash by its first digits.
    pub(crate) fn settings(
        &self,
        marked: [bool; 3],
    ) -> impl Iterator<Item = (String, String)> + '_ {
        let named = NAMES.into_iter().zip(&self.0).zip(marked);
        named
            .filter(|(_, marked)| *marked)
            .map(|((name, source), _)| (name.to_owned(), short(source)))
    }
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
