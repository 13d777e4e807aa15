//! From a row to a prompt's tokens, cut where it is too long.
#![allow(clippy::unwrap_used)]

#[path = "support/small.rs"]
mod small;

use mezo_tasks::{Cut, Task};
use proptest::prelude::*;
use small::{row, small_tokenizer, words};

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
