//! `[task]`: which data, and how they are put to the model.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::key::{Default, Range, Role, keys};
use crate::reader::Reader;
use crate::value::words;

words! {
    /// What is cut where an example is longer than the model takes.
    pub enum Cut {
        /// Its last tokens, as in the reference code.
        Tail = "tail",
        /// The ends of its longest sentences, so that the rest of the template stays whole.
        Sentences = "sentences",
    }
}

keys! {
    /// `[task]`: which data, and how they are put to the model.
    pub struct TaskSpec {
        /// The task.
        NAME = "task.name" => name: String { role: Role::Subject, values: Some("a task's name") };
        /// The folder that holds the task's folder (`SST-2`, `trec`, ...); a relative path starts at the spec's folder.
        DATA = "task.data" => data: Option<PathBuf> {
            default: Default::Open, role: Role::Place, values: Some("a folder"),
            default_words: Some("needed, but for synthetic tasks"),
        };
        /// Examples per class to train on, and as many again to choose by.
        K = "task.k" => k: usize {
            range: Range::Count, role: Role::Subject, others: &["num_k", "shots"],
            values: Some("1 or more; 5 or more for `lp` and `lp-mezo`"),
        };
        /// The most test examples; a larger test set is cut to this by the published rule.
        TEST_CAP = "task.test_cap" => test_cap: usize {
            range: Range::Count, default: Default::Whole(1000), role: Role::Prompt,
        };
        /// Whether a prompt asks the model. `false`: bare sentences, and a random classification head on the first token.
        PROMPT = "task.prompt" => prompt: bool {
            default: Default::Flag(true), role: Role::InMethodName,
        };
        /// The prompt; only with `prompt`.
        TEMPLATE = "task.template" => template: Option<String> {
            default: Default::Open, role: Role::Prompt, values: Some("a template"),
            default_words: Some("the published one"),
        };
        /// What each class is called; only with `prompt`.
        LABEL_WORDS = "task.label_words" => label_words: Option<BTreeMap<String, String>> {
            default: Default::Open, role: Role::Prompt,
            values: Some("table from label to word, one token each"),
            default_words: Some("the published ones"),
        };
        /// The most tokens of an example.
        MAX_LENGTH = "task.max_length" => max_length: Option<usize> {
            range: Range::Count, default: Default::Open, role: Role::Prompt,
            values: Some("1 up to the model's positions"),
            default_words: Some("128; 256 for `snli`, `mnli`, `rte`"),
        };
        /// What is cut where an example is longer.
        CUT = "task.cut" => cut: Cut { default: Default::Word("tail"), role: Role::Prompt };
    }
}

impl TaskSpec {
    /// A template and label words belong to a prompt.
    pub(crate) fn check(&self, reader: &mut Reader<'_>) {
        let set = [
            (Self::TEMPLATE, self.template.is_some()),
            (Self::LABEL_WORDS, self.label_words.is_some()),
        ];
        for (key, set) in set {
            reader.refuse(
                set && !self.prompt,
                key.path,
                "belongs to a prompt",
                "`task.prompt` is false",
                "remove it, or `prompt = false`",
            );
        }
    }
}
