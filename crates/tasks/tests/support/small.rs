//! A small tokenizer, and rows and tasks to try it on.
#![allow(dead_code, reason = "not every test file needs all of it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use mezo_tasks::{Place, Row, Task, Tokenizer};
use serde_json::{Value, json};

/// A byte-level vocabulary of a few words: enough to see words, spaces and special tokens apart.
pub fn small(added: bool) -> Value {
    let mut tokens = vec!["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
    let letters: Vec<String> = ('!'..='~')
        .map(String::from)
        .chain(["Ġ".to_owned()])
        .collect();
    tokens.extend(letters.iter().map(String::as_str));
    tokens.extend(["ok", "Ġok", "no", "Ġno", "as", "mas", "mask"]);
    let vocab: BTreeMap<&str, usize> = tokens.iter().copied().zip(0..).collect();
    let special = |id: usize| {
        json!({
            "id": id, "content": tokens[id], "single_word": false, "lstrip": tokens[id] == "<mask>",
            "rstrip": false, "normalized": id > 2, "special": id != 4 && id != 0
        })
    };
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 1,
            "pad_type_id": 0, "pad_token": "<pad>"
        },
        "added_tokens": if added { (0..5).map(special).collect() } else { Vec::new() },
        "normalizer": null,
        "pre_tokenizer": {
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
        },
        "post_processor": {
            "type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": true,
            "add_prefix_space": false
        },
        "decoder": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab,
            "merges": ["o k", "Ġ ok", "n o", "Ġ no", "a s", "m as", "mas k"]
        },
    })
}

/// The tokenizer of [`small`].
pub fn small_tokenizer() -> Tokenizer {
    Tokenizer::from_json(small(true).to_string().as_bytes(), Path::new("small")).unwrap()
}

/// A row of a file, of class 1.
pub fn row(sentences: &[&str]) -> Row {
    Row {
        sentences: sentences.iter().map(|&text| text.to_owned()).collect(),
        label: 1,
        origin: Place {
            path: Arc::from(Path::new("a.tsv")),
            line: 7,
            column: 1,
        },
    }
}

/// SST-2 with these label words.
pub fn words(first: &str, second: &str) -> Task {
    let own = [("0", first), ("1", second)];
    let own = own.map(|(label, word)| (label.to_owned(), word.to_owned()));
    Task::by_name("sst-2")
        .unwrap()
        .with_label_words(&BTreeMap::from(own))
        .unwrap()
}
