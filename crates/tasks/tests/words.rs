//! Tokenizers, special tokens in users' text, and label words.
#![allow(clippy::unwrap_used)]

#[path = "support/shared.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use mezo_tasks::{Cut, Place, Row, Task, TaskError, Tokenizer};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::shared;

/// A byte-level vocabulary of a few words: enough to see words, spaces and special tokens apart.
fn small(added: bool) -> Value {
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

fn small_tokenizer() -> Tokenizer {
    Tokenizer::from_json(small(true).to_string().as_bytes(), Path::new("small")).unwrap()
}

fn row(sentences: &[&str]) -> Row {
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
fn published_label_words_are_single_tokens_of_roberta() {
    let Some(path) = shared(
        "data/roberta-tokenizer",
        "label words in RoBERTa's vocabulary",
    ) else {
        return;
    };
    let tokenizer = Tokenizer::from_folder(&path).unwrap();
    for name in Task::names() {
        let task = Task::by_name(name).unwrap();
        let ids = task.label_word_ids(&tokenizer).unwrap();
        let words: Vec<String> = ids.iter().map(|id| tokenizer.token(*id).unwrap()).collect();
        let own = task.label_words();
        let expected: Vec<String> = task
            .labels()
            .iter()
            .map(|label| format!("Ġ{}", own[*label]))
            .collect();
        assert_eq!(words, expected, "{name}");
    }
}

fn words(first: &str, second: &str) -> Task {
    let own = [("0", first), ("1", second)];
    let own = own.map(|(label, word)| (label.to_owned(), word.to_owned()));
    Task::by_name("sst-2")
        .unwrap()
        .with_label_words(&BTreeMap::from(own))
        .unwrap()
}

#[test]
fn label_words_that_cannot_be_used_are_named() {
    let tokenizer = small_tokenizer();
    assert!(words("no", "ok").label_word_ids(&tokenizer).is_ok());
    for (first, second, message, hint) in [
        (
            "no",
            "okno",
            "label word \"okno\" of class \"1\" is 2 tokens (Ġok no), expected exactly one",
            "choose a word that the vocabulary holds whole, with a space before it",
        ),
        (
            " no",
            "ok",
            "label word \" no\" of class \"0\" is 2 tokens (Ġ Ġno), expected exactly one",
            "write \"no\": the space before the word is added for it",
        ),
        (
            "",
            "ok",
            "label word \"\" of class \"0\" is 0 tokens (), expected exactly one",
            "choose a word that the vocabulary holds whole, with a space before it",
        ),
        (
            "ok",
            "ok",
            "label words \"ok\" and \"ok\" of classes \"0\" and \"1\" are the same token \"Ġok\", expected a token for each class",
            "choose another word for one of them",
        ),
    ] {
        let error = words(first, second).label_word_ids(&tokenizer).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.hint().unwrap(), hint);
    }
}

#[test]
fn prompts_are_cut_at_their_end() {
    let tokenizer = small_tokenizer();
    let task = words("no", "ok")
        .with_template("*cls**sent_0*_ok*mask*.*sep+*")
        .unwrap();
    let full = &task.encode(&tokenizer, &[row(&["ok no"])]).unwrap()[0];
    let spelt: Vec<String> = full
        .ids
        .iter()
        .map(|id| tokenizer.token(*id).unwrap())
        .collect();
    assert_eq!(spelt, ["<s>", "ok", "Ġno", "Ġok", "<mask>", ".", "</s>"]);
    assert_eq!((full.asked, full.label), (4, 1));
    let cut = &task
        .clone()
        .with_max_length(5)
        .encode(&tokenizer, &[row(&["ok no"])])
        .unwrap()[0];
    assert_eq!((&cut.ids[..], cut.asked), (&full.ids[..5], 4));
    let error = task
        .with_max_length(4)
        .encode(&tokenizer, &[row(&["ok no"])])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.tsv:7:1: the mask is token 5 of 7 and is cut off, expected it among the first 4"
    );
}

#[test]
fn a_single_character_is_a_vocabulary_entry_and_a_space_is_a_space() {
    let tokenizer = small_tokenizer();
    let task = words("no", "ok")
        .with_template("*sent_0*:*mask*_*sent_0*")
        .unwrap();
    let ids = &task.encode(&tokenizer, &[row(&["ok"])]).unwrap()[0].ids;
    let spelt: Vec<String> = ids.iter().map(|id| tokenizer.token(*id).unwrap()).collect();
    assert_eq!(spelt, ["ok", ":", "<mask>", "Ġ", "ok"]);
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

#[test]
fn without_prompt_each_sentence_has_its_end_and_the_first_token_is_read() {
    let tokenizer = small_tokenizer();
    let spelt = |example: &mezo_tasks::Example| -> Vec<String> {
        let ids = example.ids.iter();
        ids.map(|id| tokenizer.token(*id).unwrap()).collect()
    };
    let encode = |task: &Task, sentences: &[&str]| {
        let task = task.clone().without_prompt();
        assert!(task.label_word_ids(&tokenizer).unwrap().is_empty());
        task.encode(&tokenizer, &[row(sentences)])
            .unwrap()
            .remove(0)
    };
    let one = Task::by_name("sst-2").unwrap();
    let example = encode(&one, &["ok no"]);
    assert_eq!(spelt(&example), ["<s>", "ok", "Ġno", "</s>"]);
    assert_eq!((example.asked, example.label), (0, 1));
    assert_eq!(spelt(&encode(&one, &[""])), ["<s>", "</s>"]);
    // Neither does a premise lose its last character, nor a hypothesis its capital, nor is a space put in front.
    let two = Task::by_name("rte").unwrap();
    assert_eq!(
        spelt(&encode(&two, &["ok", "No"])),
        ["<s>", "ok", "</s>", "N", "o", "</s>"]
    );
    let long = "ok".repeat(300);
    let example = encode(&two, &[&long, "no"]);
    assert_eq!(example.ids.len(), 256);
    assert_eq!(spelt(&example)[255], "ok", "no limit on the first sentence");
}

const PAIR: &str = "*cls**sent_0*_ok*mask*.*+sent_1*_no*sep+*";

fn pair_task() -> Task {
    Task::by_name("snli").unwrap().with_template(PAIR).unwrap()
}

#[test]
fn sentences_can_be_cut_in_place_of_the_tail() {
    let tokenizer = small_tokenizer();
    let task = pair_task().with_max_length(11).with_cut(Cut::Sentences);
    let spelt = |sentences: &[&str]| -> String {
        let example = &task.encode(&tokenizer, &[row(sentences)]).unwrap()[0];
        let ids = example.ids.iter();
        ids.map(|id| tokenizer.token(*id).unwrap()).collect()
    };
    assert_eq!(
        spelt(&["no no no no no no", "ok ok"]),
        "<s>noĠnoĠnoĠok<mask>.ĠokĠokĠno</s>"
    );
    assert_eq!(
        spelt(&["no", "ok ok ok ok ok ok"]),
        "<s>noĠok<mask>.ĠokĠokĠokĠokĠno</s>"
    );
    let error = pair_task()
        .with_max_length(5)
        .with_cut(Cut::Sentences)
        .encode(&tokenizer, &[row(&["no", "ok"])])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the template alone is 6 tokens, expected at most max_length, 5"
    );
    // Without prompt both ends stay.
    let bare = pair_task()
        .without_prompt()
        .with_max_length(5)
        .with_cut(Cut::Sentences);
    let example = &bare
        .encode(&tokenizer, &[row(&["no no no", "ok"])])
        .unwrap()[0];
    let ends = example.ids.iter().filter(|id| **id == 2).count();
    assert_eq!((example.ids.len(), ends), (5, 2));
}

proptest! {
    #[test]
    fn cut_sentences_fit_and_keep_the_template(
        first in prop::collection::vec("(ok|no|a)", 0..60),
        second in prop::collection::vec("(ok|no|a)", 0..60),
        max_length in 6usize..140,
    ) {
        let tokenizer = small_tokenizer();
        let rows = [row(&[&first.join(" "), &second.join(" ")])];
        let encode = |task: Task| task.encode(&tokenizer, &rows).unwrap().remove(0);
        let cut = encode(pair_task().with_max_length(max_length).with_cut(Cut::Sentences));
        let whole = encode(pair_task());
        prop_assert_eq!(cut.ids.len(), whole.ids.len().min(max_length));
        if whole.ids.len() <= max_length {
            prop_assert_eq!(&cut, &whole);
        }
        let special = tokenizer.special();
        prop_assert_eq!(cut.ids[cut.asked], special.mask);
        prop_assert_eq!(cut.ids[0], special.start);
        prop_assert_eq!(cut.ids.last(), Some(&special.end));
        let own = |text: &str| tokenizer.encode(text).unwrap()[0];
        prop_assert_eq!(cut.ids[cut.asked - 1], own(" ok"));
        prop_assert_eq!(cut.ids[cut.asked + 1], own("."));
        prop_assert_eq!(cut.ids[cut.ids.len() - 2], own(" no"));
        // What is left of each sentence is its beginning.
        prop_assert_eq!(&cut.ids[..cut.asked - 1], &whole.ids[..cut.asked - 1]);
        let second = &cut.ids[cut.asked + 2..cut.ids.len() - 2];
        prop_assert!(whole.ids[whole.asked + 2..].starts_with(second));
    }
}
