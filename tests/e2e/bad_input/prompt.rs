//! What is wrong with the task, its template and its label words.

use insta::assert_snapshot;

use super::world::World;

/// What is said after these lines were put into `[task]`.
fn task(lines: &str) -> String {
    World::with(&[("k = 2", &format!("k = 2\n{lines}"))]).refused()
}

#[test]
fn an_unknown_task_gets_the_nearest() {
    assert_snapshot!(World::with(&[("\"sst-2\"", "\"sst2\"")]).refused(), @r#"
    error: experiments/small.toml:7:8: unknown task "sst2", expected one of cr, glue-sst2, made-sentiment, mnli, mpqa, mr, rte, snli, sst-2, sst-5, trec
      |
    7 | name = "sst2"
      |        ^^^^^^
    hint: the nearest known task is "sst-2"
    "#);
    let swept = "eps = [1e-3]\n\"task.name\" = [\"sst-2\", \"imdb\"]";
    let world = World::with(&[("name = \"sst-2\"\n", ""), ("eps = [1e-3]", swept)]);
    assert_snapshot!(world.refused(), @r#"
    error: experiments/small.toml:23:25: unknown task "imdb", expected one of cr, glue-sst2, made-sentiment, mnli, mpqa, mr, rte, snli, sst-2, sst-5, trec
       |
    23 | "task.name" = ["sst-2", "imdb"]
       |                         ^^^^^^
    "#);
}

#[test]
fn a_label_word_is_one_token() {
    assert_snapshot!(task("label_words = { 0 = \"terrible\", 1 = \"stupendous\" }"), @r#"
    error: experiments/small.toml:10:37: label word "stupendous" of class "1" is 3 tokens (Ġstu pend ous), expected exactly one
       |
    10 | label_words = { 0 = "terrible", 1 = "stupendous" }
       |                                     ^^^^^^^^^^^^
    hint: choose a word that the vocabulary holds whole, with a space before it
    "#);
    assert_snapshot!(task("label_words = { 0 = \" terrible\", 1 = \"great\" }"), @r#"
    error: experiments/small.toml:10:21: label word " terrible" of class "0" is 2 tokens (Ġ Ġterrible), expected exactly one
       |
    10 | label_words = { 0 = " terrible", 1 = "great" }
       |                     ^^^^^^^^^^^
    hint: write "terrible": the space before the word is added for it
    "#);
    assert_snapshot!(task("label_words = { 0 = \"great\", 1 = \"great\" }"), @r#"
    error: experiments/small.toml:10:34: label words "great" and "great" of classes "0" and "1" are the same token "Ġgreat", expected a token for each class
       |
    10 | label_words = { 0 = "great", 1 = "great" }
       |                                  ^^^^^^^
    hint: choose another word for one of them
    "#);
    assert_snapshot!(task("label_words = { negative = \"terrible\", positive = \"great\" }"), @r#"
    error: experiments/small.toml:10:28: a label word for "negative", expected one of the classes of task "sst-2": "0", "1"
       |
    10 | label_words = { negative = "terrible", positive = "great" }
       |                            ^^^^^^^^^^
    hint: classes go by the labels of the data, and those not named keep their published words
    "#);
}

#[test]
fn a_swept_label_word_is_pointed_at() {
    let words = r#"eps = [1e-3]
"task.label_words.0" = ["terrible"]
"task.label_words.1" = ["great", "stupendous"]"#;
    let world = World::with(&[("eps = [1e-3]", words)]);
    assert_snapshot!(world.refused(), @r#"
    error: experiments/small.toml:25:34: label word "stupendous" of class "1" is 3 tokens (Ġstu pend ous), expected exactly one
       |
    25 | "task.label_words.1" = ["great", "stupendous"]
       |                                  ^^^^^^^^^^^^
    hint: choose a word that the vocabulary holds whole, with a space before it
    "#);
}

#[test]
fn a_mask_is_not_cut_off() {
    assert_snapshot!(task("max_length = 9"), @r#"
    error: experiments/../data/SST-2/train.tsv:3:1: the mask is token 11 of 13 and is cut off, expected it among the first 9
    hint: raise max_length, shorten sentences with cut = "sentences", or put the mask before the sentence
    "#);
}

#[test]
fn a_prompt_is_no_longer_than_the_model() {
    assert_snapshot!(task("max_length = 200"), @r"
    error: experiments/small.toml:10:14: expected at most 128 for `task.max_length` (the model has no more positions), found 200
       |
    10 | max_length = 200
       |              ^^^
    hint: set `max_length = 128` in [task]
    ");
}

#[test]
fn a_template_has_parts_that_are_known() {
    assert_snapshot!(task("template = \"*cls**sent_0*_It_was*maks*.*sep+*\""), @r#"
    error: experiments/small.toml:10:12: template "*cls**sent_0*_It_was*maks*.*sep+*", character 22: unknown part "maks", expected perhaps "mask"
       |
    10 | template = "*cls**sent_0*_It_was*maks*.*sep+*"
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: parts are cls, mask, sep, sep+ and [+]sent[l|u][-]_0; text that looks like one of them needs a space (written _) before it
    "#);
    assert_snapshot!(task("template = \"*cls**sent_0*_It_was.*sep+*\""), @r#"
    error: experiments/small.toml:10:12: template "*cls**sent_0*_It_was.*sep+*", character 28: no mask, expected exactly one *mask*
       |
    10 | template = "*cls**sent_0*_It_was.*sep+*"
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: the published template of SST-2 is *cls**sent_0*_It_was*mask*.*sep+*
    "#);
    assert_snapshot!(task("template = \"*cls**sent_1*_It_was*mask*.*sep+*\""), @r#"
    error: experiments/small.toml:10:12: template "*cls**sent_1*_It_was*mask*.*sep+*", character 7: sentence 1, expected less than 1: rows of this task have 1
       |
    10 | template = "*cls**sent_1*_It_was*mask*.*sep+*"
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: sentences count from 0: *sent_0* is the first
    "#);
}
