//! Label words: one token each, and each another.
#![allow(clippy::unwrap_used)]

#[path = "support/small.rs"]
mod small;
#[path = "support/shared.rs"]
mod support;

use mezo_tasks::{Task, Tokenizer};
use small::{small_tokenizer, words};
use support::shared;

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
