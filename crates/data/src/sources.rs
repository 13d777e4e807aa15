//! Where each task's data lie on the hub, and how they become the task's files.

use crate::error::DataError;

/// One task's data on the hub.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) task: &'static str,
    /// The data set repository.
    pub(crate) repo: &'static str,
    pub(crate) revision: &'static str,
    /// A Parquet file in the repository, and the file it becomes.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// The columns of the sentences.
    pub(crate) sentences: &'static [&'static str],
    /// The column of the label, a number.
    pub(crate) label: &'static str,
    /// The label of each number: its name on the hub, and the task's.
    pub(crate) labels: &'static [(&'static str, &'static str)],
    /// Whether rows on which the annotators did not agree (label -1) are among the others; they are left out.
    pub(crate) has_unlabelled: bool,
    pub(crate) layout: Layout,
}

/// The layout of the files that are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// Tab-separated, a header first; sentences at these columns, the label last, nothing in the others.
    Tsv {
        header: &'static [&'static str],
        sentences: &'static [usize],
    },
    /// `label,text` without a header.
    Csv,
}

const NLI_LABELS: &[(&str, &str)] = &[
    ("entailment", "entailment"),
    ("neutral", "neutral"),
    ("contradiction", "contradiction"),
];

/// Every task that the hub has as it was published.
static SOURCES: [Source; 5] = [
    Source {
        task: "glue-sst2",
        repo: "nyu-mll/glue",
        revision: "main",
        files: &[
            ("sst2/train-00000-of-00001.parquet", "train.tsv"),
            ("sst2/validation-00000-of-00001.parquet", "dev.tsv"),
        ],
        sentences: &["sentence"],
        label: "label",
        labels: &[("negative", "0"), ("positive", "1")],
        has_unlabelled: false,
        layout: Layout::Tsv {
            header: &["sentence", "label"],
            sentences: &[0],
        },
    },
    Source {
        task: "mnli",
        repo: "nyu-mll/glue",
        revision: "main",
        files: &[
            ("mnli/train-00000-of-00001.parquet", "train.tsv"),
            (
                "mnli/validation_matched-00000-of-00001.parquet",
                "dev_matched.tsv",
            ),
            (
                "mnli/validation_mismatched-00000-of-00001.parquet",
                "dev_mismatched.tsv",
            ),
        ],
        sentences: &["premise", "hypothesis"],
        label: "label",
        labels: NLI_LABELS,
        has_unlabelled: false,
        layout: Layout::Tsv {
            header: &[
                "index",
                "promptID",
                "pairID",
                "genre",
                "sentence1_binary_parse",
                "sentence2_binary_parse",
                "sentence1_parse",
                "sentence2_parse",
                "sentence1",
                "sentence2",
                "label1",
                "gold_label",
            ],
            sentences: &[8, 9],
        },
    },
    Source {
        task: "rte",
        repo: "nyu-mll/glue",
        revision: "main",
        files: &[
            ("rte/train-00000-of-00001.parquet", "train.tsv"),
            ("rte/validation-00000-of-00001.parquet", "dev.tsv"),
        ],
        sentences: &["sentence1", "sentence2"],
        label: "label",
        labels: &[
            ("entailment", "entailment"),
            ("not_entailment", "not_entailment"),
        ],
        has_unlabelled: false,
        layout: Layout::Tsv {
            header: &["index", "sentence1", "sentence2", "label"],
            sentences: &[1, 2],
        },
    },
    Source {
        task: "snli",
        repo: "stanfordnlp/snli",
        revision: "main",
        files: &[
            ("plain_text/train-00000-of-00001.parquet", "train.tsv"),
            ("plain_text/validation-00000-of-00001.parquet", "dev.tsv"),
        ],
        sentences: &["premise", "hypothesis"],
        label: "label",
        labels: NLI_LABELS,
        has_unlabelled: true,
        layout: Layout::Tsv {
            header: &[
                "index",
                "captionID",
                "pairID",
                "sentence1_binary_parse",
                "sentence2_binary_parse",
                "sentence1_parse",
                "sentence2_parse",
                "sentence1",
                "sentence2",
                "label1",
                "gold_label",
            ],
            sentences: &[7, 8],
        },
    },
    Source {
        task: "trec",
        repo: "CogComp/trec",
        // The repository itself has only a script; the hub's own conversion of it lies here.
        revision: "refs/convert/parquet",
        files: &[
            ("default/train/0000.parquet", "train.csv"),
            ("default/test/0000.parquet", "test.csv"),
        ],
        sentences: &["text"],
        label: "coarse_label",
        labels: &[
            ("ABBR", "2"),
            ("ENTY", "1"),
            ("DESC", "0"),
            ("HUM", "3"),
            ("LOC", "4"),
            ("NUM", "5"),
        ],
        has_unlabelled: false,
        layout: Layout::Csv,
    },
];

const ARCHIVE: &str = "they are in LM-BFF's archive, https://nlp.cs.princeton.edu/projects/lm-bff/datasets.tar: unpack it \
                       and name its folder `original` as the data folder";

/// Where a task's data lie.
pub(crate) fn source_of(task: &'static str) -> Result<&'static Source, DataError> {
    if let Some(source) = SOURCES.iter().find(|source| source.task == task) {
        return Ok(source);
    }
    let hint = match task {
        "made-sentiment" => "they are in the program: a spec names the task and no data folder",
        "sst-2" => {
            "LM-BFF's sentences are in its archive, https://nlp.cs.princeton.edu/projects/lm-bff/datasets.tar; GLUE's \
             phrases, which MeZO trained on, are the task glue-sst2"
        }
        _ => ARCHIVE,
    };
    Err(DataError::NotOnHub { task, hint })
}

#[cfg(test)]
mod tests {
    use super::SOURCES;

    #[test]
    fn every_label_of_a_task_has_a_name_on_the_hub() {
        for source in &SOURCES {
            let task = mezo_tasks::Task::by_name(source.task).expect("a task of that name");
            let mut found: Vec<&str> = source.labels.iter().map(|(_, label)| *label).collect();
            let mut expected = task.labels();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{}", source.task);
        }
    }
}
