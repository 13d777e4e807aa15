//! Tokenizers and special tokens in users' text.
#![allow(clippy::unwrap_used)]

#[path = "support/small.rs"]
mod small;
#[path = "support/shared.rs"]
mod support;

use std::fs;
use std::path::Path;

use mezo_tasks::{Task, TaskError, Tokenizer};
use serde_json::{Value, json};
use small::{row, small, small_tokenizer};
use support::shared;

fn spelt(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let ids = tokenizer.encode(text).unwrap();
    ids.iter().map(|id| tokenizer.token(*id).unwrap()).collect()
}

#[test]
fn special_tokens_in_text_are_text() {
    let tokenizer = small_tokenizer();
    assert_eq!(
        spelt(&tokenizer, "ok <mask> ok"),
        ["ok", "Ġ", "<", "mask", ">", "Ġok"]
    );
    assert_eq!(
        spelt(&tokenizer, "<s></s><unk><pad>").join(""),
        "<s></s><unk><pad>"
    );
    for id in tokenizer.encode("<s></s><unk><pad><mask>").unwrap() {
        assert!(id > 4, "{id}");
    }
}

#[test]
fn special_tokens_in_text_are_text_for_every_tokenizer() {
    for folder in ["data/roberta-tokenizer", "models/roberta-imdb-tiny"] {
        let Some(path) = shared(folder, "special tokens in text") else {
            continue;
        };
        let tokenizer = Tokenizer::from_folder(&path).unwrap();
        let special = tokenizer.special();
        let ids = tokenizer
            .encode("a <mask> b</s> <s> <pad><unk> <mask>")
            .unwrap();
        for id in [
            special.start,
            special.pad,
            special.end,
            special.unknown,
            special.mask,
        ] {
            assert!(!ids.contains(&id), "{folder}: {ids:?}");
        }
        let task = Task::by_name("sst-2").unwrap();
        let example = task
            .encode(&tokenizer, &[row(&["a <mask> b </s>"])])
            .unwrap()
            .remove(0);
        let masks = example.ids.iter().filter(|id| **id == special.mask).count();
        let ends = example.ids.iter().filter(|id| **id == special.end).count();
        assert_eq!((masks, ends), (1, 1));
        assert_eq!(example.ids[example.asked], special.mask);
    }
}

#[test]
fn what_the_file_asks_for_beside_tokens_is_left_out() {
    // The small file truncates to 3, pads to 9 and adds <s> and </s>.
    assert_eq!(spelt(&small_tokenizer(), "ok ok ok ok ok").len(), 5);
    assert_eq!(spelt(&small_tokenizer(), "").len(), 0);
}

#[test]
fn two_files_are_as_good_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let whole = small(false);
    let merges: Vec<&str> = whole["model"]["merges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|merge| merge.as_str().unwrap())
        .collect();
    fs::write(
        folder.path().join("vocab.json"),
        whole["model"]["vocab"].to_string(),
    )
    .unwrap();
    fs::write(
        folder.path().join("merges.txt"),
        format!("#version: 0.2\n{}\n", merges.join("\n")),
    )
    .unwrap();
    let pair = Tokenizer::from_folder(folder.path()).unwrap();
    let one = small_tokenizer();
    assert_eq!(pair.special(), one.special());
    for text in ["ok no mask", "<mask> ok", "  no  "] {
        assert_eq!(pair.encode(text).unwrap(), one.encode(text).unwrap());
    }
    assert_ne!(pair.sha256(), one.sha256());
    assert_eq!(pair.vocab_size(), one.vocab_size());
}

#[test]
fn the_vocabulary_reaches_to_its_highest_id() {
    let built = |config: &Value| {
        Tokenizer::from_json(config.to_string().as_bytes(), Path::new("small")).unwrap()
    };
    let mut config = small(true);
    let count = built(&config).vocab_size();
    config["model"]["vocab"]["mask"] = json!(5_000);
    assert_eq!(built(&config).vocab_size(), 5_001);
    config["added_tokens"][4]["id"] = json!(999_999);
    let tokenizer = built(&config);
    assert_eq!(tokenizer.special().mask, 999_999);
    assert_eq!(tokenizer.vocab_size(), 1_000_000);
    assert_eq!(
        count,
        small(true)["model"]["vocab"].as_object().unwrap().len()
    );
}

#[test]
fn the_tiny_models_tokenizer_lowers_case() {
    let Some(path) = shared("models/roberta-imdb-tiny", "the tiny model's tokenizer") else {
        return;
    };
    let tokenizer = Tokenizer::from_folder(&path).unwrap();
    assert_eq!(tokenizer.special().mask, 4);
    assert_eq!(tokenizer.encode(" Great").unwrap(), [573]);
    let task = Task::by_name("sst-2").unwrap();
    assert_eq!(task.label_word_ids(&tokenizer).unwrap(), [1497, 573]);
    assert_eq!(tokenizer.vocab_size(), 8_192);
    let bytes = fs::read(path.join("tokenizer.json")).unwrap();
    let embedded = Tokenizer::from_json(&bytes, Path::new("built in")).unwrap();
    assert_eq!(embedded.sha256(), tokenizer.sha256());
}

#[test]
fn tokenizers_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let said = || {
        let error = Tokenizer::from_folder(path).unwrap_err();
        error
            .to_string()
            .replace(&format!("{}", path.display()), "M")
    };
    assert_eq!(
        said(),
        "M: expected a tokenizer (tokenizer.json, or vocab.json and merges.txt), found nothing there"
    );
    fs::write(path.join("vocab.json"), "{\"<s>\": 0}").unwrap();
    assert_eq!(
        said(),
        "M/merges.txt: expected a file of the tokenizer, found nothing there"
    );
    fs::write(path.join("merges.txt"), "#version: 0.2\n").unwrap();
    assert_eq!(
        said(),
        "M/vocab.json: expected the special token \"<pad>\" in the vocabulary"
    );
    fs::write(path.join("vocab.json"), "{\"<s>\": ").unwrap();
    assert_eq!(
        said(),
        "M/vocab.json:1:8: expected a tokenizer in JSON: EOF while parsing a value"
    );
    fs::write(
        path.join("tokenizer.json"),
        "version https://git-lfs.github.com/spec/v1\n",
    )
    .unwrap();
    assert_eq!(
        said(),
        "M/tokenizer.json: expected a file of the tokenizer, found a Git LFS pointer"
    );
    fs::write(path.join("tokenizer.json"), "[]").unwrap();
    assert!(said().starts_with("M/tokenizer.json: expected a tokenizer: "));
    assert!(matches!(
        Tokenizer::from_folder(path).unwrap_err(),
        TaskError::BadTokenizer { .. }
    ));
}
