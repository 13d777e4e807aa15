//! A task: a published one, perhaps with a template and label words of the user's own.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cut::Cut;
use crate::error::TaskError;
use crate::prompt::{Example, Limits, Prompt};
use crate::published::{ALL, Published};
use crate::read::{Layout, Row, Table, read_table};
use crate::template::Template;
use crate::tokenizer::Tokenizer;

/// What a model is asked, and how: a data set, its classes, a template and a word for each class.
#[derive(Clone, Debug)]
pub struct Task {
    published: &'static Published,
    wording: Option<Wording>,
    max_length: usize,
    cut: Cut,
}

/// How a prompt asks; a task without prompt has none.
#[derive(Clone, Debug)]
struct Wording {
    template: Template,
    /// In the order of the classes.
    words: Vec<String>,
}

impl Task {
    /// The task of a name, as published.
    pub fn by_name(name: &str) -> Result<Self, TaskError> {
        let published =
            ALL.iter()
                .find(|task| task.name == name)
                .ok_or_else(|| TaskError::UnknownTask {
                    name: name.to_owned(),
                    known: Self::names(),
                    nearest: nearest(name),
                })?;
        let words = published.classes.iter().map(|(_, word)| (*word).to_owned());
        Ok(Self {
            published,
            wording: Some(Wording {
                template: Template::parse(published.template, published.sentences)?,
                words: words.collect(),
            }),
            max_length: published.max_length,
            cut: Cut::Tail,
        })
    }

    /// The names of all tasks.
    pub fn names() -> Vec<&'static str> {
        ALL.iter().map(|task| task.name).collect()
    }

    /// The same task without prompt: a row becomes `<s> A </s>`, of two sentences `<s> A </s> B </s>`, the first token is
    /// the one that is read, and there are no label words (the reference's `few_shot_type = finetune`). As published,
    /// the limits on single sentences are the prompt's and do not hold here; that on the whole does.
    pub fn without_prompt(mut self) -> Self {
        self.wording = None;
        self
    }

    /// The same task with another template.
    ///
    /// # Errors
    ///
    /// For a template that cannot be, and for a task without prompt.
    pub fn with_template(mut self, text: &str) -> Result<Self, TaskError> {
        self.wording_mut("template")?.template = Template::parse(text, self.published.sentences)?;
        Ok(self)
    }

    /// The same task with other label words, by label. Classes that are not named keep theirs, and the order of the
    /// classes stays.
    ///
    /// # Errors
    ///
    /// For a label that the task has not, and for words of a task without prompt.
    pub fn with_label_words(mut self, words: &BTreeMap<String, String>) -> Result<Self, TaskError> {
        let labels = self.labels();
        for (label, word) in words {
            let wording = self.wording_mut("label_words")?;
            match labels.iter().position(|known| known == label) {
                Some(at) => wording.words[at].clone_from(word),
                None => {
                    return Err(TaskError::LabelWordClass {
                        task: self.name(),
                        label: label.clone(),
                        expected: labels.into_iter().map(str::to_owned).collect(),
                    });
                }
            }
        }
        Ok(self)
    }

    fn wording_mut(&mut self, key: &'static str) -> Result<&mut Wording, TaskError> {
        let task = self.name();
        let wording = self.wording.as_mut();
        wording.ok_or(TaskError::WithoutPrompt { task, key })
    }

    /// The same task with another rule for rows that are too long.
    pub fn with_cut(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    /// The same task with another limit on an example's tokens.
    pub fn with_max_length(mut self, max_length: usize) -> Self {
        self.max_length = max_length;
        self
    }

    /// Its name in specs and tables.
    pub fn name(&self) -> &'static str {
        self.published.name
    }

    /// Its folder under the data folder.
    pub fn folder(&self) -> &'static str {
        self.published.folder
    }

    /// Whether its sentences are made by a grammar and not found in the world. Say so wherever its numbers stand.
    pub fn made(&self) -> bool {
        self.published.made
    }

    /// The labels of its classes, in the order of the logits.
    pub fn labels(&self) -> Vec<&'static str> {
        let classes = self.published.classes.iter();
        classes.map(|(label, _)| *label).collect()
    }

    /// The label words by label; none without prompt.
    pub fn label_words(&self) -> BTreeMap<String, String> {
        let labels = self.labels().into_iter().map(str::to_owned);
        labels.zip(self.words().iter().cloned()).collect()
    }

    fn words(&self) -> &[String] {
        let wording = self.wording.as_ref();
        wording.map_or(&[], |wording| &wording.words)
    }

    /// The template; none without prompt.
    pub fn template(&self) -> Option<&Template> {
        self.wording.as_ref().map(|wording| &wording.template)
    }

    /// How many sentences a row has.
    pub fn sentences(&self) -> usize {
        self.published.sentences
    }

    /// The most tokens an example may have.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// The vocabulary ids of the label words, in the order of the classes; none without prompt. A label word stands after
    /// a space and is exactly one token.
    pub fn label_word_ids(&self, tokenizer: &Tokenizer) -> Result<Vec<u32>, TaskError> {
        let labels = self.labels();
        let mut ids: Vec<u32> = Vec::with_capacity(labels.len());
        for (at, word) in self.words().iter().enumerate() {
            let tokens = tokenizer.encode(&format!(" {word}"))?;
            let spelt = |id: &u32| tokenizer.token(*id).unwrap_or_else(|| id.to_string());
            // Without a word the space alone would be the token.
            let [id] = tokens[..] else {
                return Err(self.not_one_token(at, tokens.iter().map(spelt).collect()));
            };
            if word.trim().is_empty() {
                return Err(self.not_one_token(at, Vec::new()));
            }
            if let Some(before) = ids.iter().position(|own| *own == id) {
                return Err(TaskError::LabelWordTwice {
                    classes: [before, at].map(|at| labels[at].to_owned()),
                    words: [before, at].map(|at| self.words()[at].clone()),
                    token: spelt(&id),
                });
            }
            ids.push(id);
        }
        Ok(ids)
    }

    fn not_one_token(&self, at: usize, tokens: Vec<String>) -> TaskError {
        TaskError::LabelWordTokens {
            class: self.labels()[at].to_owned(),
            word: self.words()[at].clone(),
            tokens,
        }
    }

    /// Turns rows into examples of at most [`max_length`](Self::max_length) tokens.
    ///
    /// # Errors
    ///
    /// For a row that cannot be made to fit without its mask, which [`Cut`] decides on.
    pub fn encode(&self, tokenizer: &Tokenizer, rows: &[Row]) -> Result<Vec<Example>, TaskError> {
        let prompt = match self.template() {
            Some(template) => {
                let limits = Limits {
                    first_sentence: self.published.first_limit,
                    other_sentence: self.published.other_limit,
                    whole: self.max_length,
                    cut: self.cut,
                };
                Prompt::new(template, tokenizer, limits)?
            }
            None => Prompt::none(self.sentences(), tokenizer, self.max_length, self.cut),
        };
        rows.iter().map(|row| prompt.encode(row)).collect()
    }

    /// The rows of one file in the task's layout.
    pub fn read_file(&self, path: &Path) -> Result<Vec<Row>, TaskError> {
        let table = self.read_table(path)?;
        Ok(table.records.into_iter().map(|record| record.row).collect())
    }

    pub(crate) fn read_table(&self, path: &Path) -> Result<Table, TaskError> {
        read_table(
            path,
            self.published.layout,
            &self.labels(),
            &self.describe_file(),
        )
    }

    pub(crate) fn published(&self) -> &'static Published {
        self.published
    }

    /// What a file of the task looks like, for messages.
    pub(crate) fn describe_file(&self) -> String {
        let layout = match self.published.layout {
            Layout::Tsv(_) => "tab-separated rows under a header line",
            Layout::Csv => "rows of label,text without a header",
        };
        format!("{layout} (task {:?})", self.name())
    }
}

/// The known name that a wrong one was perhaps meant to be: one that begins with it, else the closest, if any is close.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let names = Task::names();
    if let Some(known) = names
        .iter()
        .find(|known| name.len() > 1 && known.starts_with(&name))
    {
        return Some(known);
    }
    let distance = |known: &str| strsim::osa_distance(&name, known);
    let closest = names.into_iter().min_by_key(|known| distance(known));
    closest.filter(|known| distance(known) <= name.chars().count() / 2)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Task;
    use std::collections::BTreeMap;

    fn words(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(label, word): &(&str, &str)| ((*label).to_owned(), (*word).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn every_name_is_a_task() {
        for name in Task::names() {
            assert_eq!(Task::by_name(name).unwrap().name(), name);
        }
        assert!(Task::names().is_sorted());
    }

    #[test]
    fn class_order_is_the_processors() {
        let labels = |name| Task::by_name(name).unwrap().labels();
        assert_eq!(labels("mnli"), ["contradiction", "entailment", "neutral"]);
        assert_eq!(labels("snli"), labels("mnli"));
        assert_eq!(labels("rte"), ["entailment", "not_entailment"]);
        assert_eq!(labels("trec"), ["0", "1", "2", "3", "4", "5"]);
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        for (wrong, hint) in [
            ("sst2", "sst-2"),
            ("SST-2", "sst-2"),
            ("sst5", "sst-5"),
            ("glue-sst-2", "glue-sst2"),
            ("made", "made-sentiment"),
            ("sst", "sst-2"),
            ("made-sentimant", "made-sentiment"),
        ] {
            let error = Task::by_name(wrong).unwrap_err();
            let expected = format!(
                "unknown task {wrong:?}, expected one of cr, glue-sst2, made-sentiment, mnli, mpqa, mr, rte, snli, \
                 sst-2, sst-5, trec"
            );
            assert_eq!(error.to_string(), expected);
            assert_eq!(
                error.hint().unwrap(),
                format!("the nearest known task is {hint:?}")
            );
        }
        assert_eq!(Task::by_name("imagenet").unwrap_err().hint(), None);
    }

    #[test]
    fn label_words_are_given_for_some_classes_or_all() {
        let task = Task::by_name("sst-2").unwrap();
        let own = words(&[("1", "good"), ("0", "bad")]);
        assert_eq!(
            task.clone().with_label_words(&own).unwrap().label_words(),
            own
        );
        let some = task.clone().with_label_words(&words(&[("1", "good")]));
        assert_eq!(
            some.unwrap().label_words(),
            words(&[("0", "terrible"), ("1", "good")])
        );
        for (wrong, named) in [
            (words(&[("0", "bad"), ("1", "good"), ("2", "okay")]), "2"),
            (
                words(&[("negative", "bad"), ("positive", "good")]),
                "negative",
            ),
        ] {
            let error = task.clone().with_label_words(&wrong).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "a label word for {named:?}, expected one of the classes of task \"sst-2\": \"0\", \"1\""
                )
            );
        }
    }

    #[test]
    fn a_task_without_prompt_has_no_wording() {
        let task = Task::by_name("rte").unwrap().without_prompt();
        assert_eq!(task.template(), None);
        assert_eq!(task.label_words(), BTreeMap::new());
        let task = task.with_label_words(&BTreeMap::new()).unwrap();
        for (error, key) in [
            (
                task.clone().with_template("*cls**sent_0**mask*"),
                "template",
            ),
            (
                task.with_label_words(&words(&[("entailment", "So")])),
                "label_words",
            ),
        ] {
            assert_eq!(
                error.unwrap_err().to_string(),
                format!("`{key}` for task \"rte\" without prompt, expected none")
            );
        }
    }

    #[test]
    fn a_template_asks_only_for_sentences_there_are() {
        let task = Task::by_name("sst-2").unwrap();
        assert!(task.clone().with_template("*sent_1**mask*").is_err());
        let nli = Task::by_name("snli").unwrap();
        let own = nli.with_template("*cls**sent_0**mask**sent_1*").unwrap();
        assert_eq!(
            own.template().unwrap().as_str(),
            "*cls**sent_0**mask**sent_1*"
        );
    }
}
