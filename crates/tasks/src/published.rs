//! The tasks as MeZO publishes them (MEZO.md, section 3): files, templates, label words, class order, limits.

use crate::read::{Columns, Label, Layout};

/// The row of the published table for one task.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) name: &'static str,
    /// The folder under the data folder; spelt as published.
    pub(crate) folder: &'static str,
    pub(crate) layout: Layout,
    pub(crate) files: Files,
    pub(crate) made: bool,
    pub(crate) template: &'static str,
    /// Label and label word of each class, in the order of the logits.
    pub(crate) classes: &'static [(&'static str, &'static str)],
    pub(crate) sentences: usize,
    pub(crate) first_limit: Option<usize>,
    pub(crate) other_limit: Option<usize>,
    pub(crate) max_length: usize,
    pub(crate) sizes: Sizes,
    /// What else may lie under the same name, by the number of its train rows.
    pub(crate) mistaken_for: Option<Other>,
}

/// The names of a task's files.
#[derive(Debug)]
pub(crate) struct Files {
    /// What the k-shot train and test parts are drawn from.
    pub(crate) source: [&'static str; 2],
    /// A second test file that the published script writes too and no result uses.
    pub(crate) second_test: Option<[&'static str; 2]>,
    /// The k-shot parts.
    pub(crate) train: &'static str,
    pub(crate) dev: &'static str,
    pub(crate) test: &'static str,
}

/// Facts of a task's published data.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// Mean tokens of a train row in the published prompt, by RoBERTa's tokenizer.
    pub(crate) mean_tokens: f64,
    /// Rows of the train file by class, in the order of the classes; empty where nothing is known of them.
    pub(crate) train: &'static [usize],
    /// Rows of the test file, before any cap.
    pub(crate) test: usize,
}

/// Another data set that is often found where this one is expected.
#[derive(Debug)]
pub(crate) struct Other {
    pub(crate) rows: usize,
    pub(crate) what: &'static str,
    pub(crate) task: &'static str,
}

/// GLUE keeps its test labels to itself: the original dev set is the test set.
const GLUE: Files = Files {
    source: ["train.tsv", "dev.tsv"],
    second_test: None,
    train: "train.tsv",
    dev: "dev.tsv",
    test: "test.tsv",
};

const MNLI: Files = Files {
    source: ["train.tsv", "dev_matched.tsv"],
    second_test: Some(["dev_mismatched.tsv", "test_mismatched.tsv"]),
    train: "train.tsv",
    dev: "dev_matched.tsv",
    test: "test_matched.tsv",
};

const CSV: Files = Files {
    source: ["train.csv", "test.csv"],
    second_test: None,
    train: "train.csv",
    dev: "dev.csv",
    test: "test.csv",
};

const ONE_SENTENCE: Layout = Layout::Tsv(Columns {
    sentences: &[0],
    label: Label::At(1),
});

const IT_WAS: &str = "*cls**sent_0*_It_was*mask*.*sep+*";
const NLI: &str = "*cls**sent-_0*?*mask*,*+sentl_1**sep+*";

const TERRIBLE_GREAT: &[(&str, &str)] = &[("0", "terrible"), ("1", "great")];
const NLI_CLASSES: &[(&str, &str)] = &[
    ("contradiction", "No"),
    ("entailment", "Yes"),
    ("neutral", "Maybe"),
];

// MNLI's and SNLI's tokens are means over the published 16-shot splits, their train classes round numbers. CR's and
// MPQA's tokens are their mean words (19 and 3; Kim 2014, table 1) at the tokens for a word of MR, which has 20 words.

const SST2: Published = Published {
    name: "sst-2",
    folder: "SST-2",
    layout: ONE_SENTENCE,
    files: GLUE,
    made: false,
    template: IT_WAS,
    classes: TERRIBLE_GREAT,
    sentences: 1,
    first_limit: None,
    other_limit: None,
    max_length: 128,
    sizes: Sizes {
        mean_tokens: 28.78,
        train: &[3_310, 3_610],
        test: 872,
    },
    mistaken_for: Some(Other {
        rows: 67_349,
        what: "GLUE's phrases",
        task: "glue-sst2",
    }),
};

const REVIEWS: Published = Published {
    layout: Layout::Csv,
    files: CSV,
    first_limit: Some(110),
    other_limit: Some(50),
    mistaken_for: None,
    ..SST2
};

const SNLI: Published = Published {
    name: "snli",
    folder: "SNLI",
    layout: Layout::Tsv(Columns {
        sentences: &[7, 8],
        label: Label::Last,
    }),
    template: NLI,
    classes: NLI_CLASSES,
    sentences: 2,
    max_length: 256,
    sizes: Sizes {
        mean_tokens: 27.26,
        train: &[183_000, 183_000, 183_000],
        test: 9_842,
    },
    mistaken_for: None,
    ..SST2
};

/// All tasks, by name.
pub(crate) static ALL: [Published; 11] = [
    Published {
        name: "cr",
        folder: "cr",
        sizes: Sizes {
            mean_tokens: 29.90,
            train: &[],
            test: 2_000,
        },
        ..REVIEWS
    },
    Published {
        name: "glue-sst2",
        folder: "glue-sst2",
        mistaken_for: Some(Other {
            rows: 6_920,
            what: "LM-BFF's sentences",
            task: "sst-2",
        }),
        sizes: Sizes {
            mean_tokens: 18.36,
            train: &[29_780, 37_569],
            test: 872,
        },
        ..SST2
    },
    Published {
        name: "made-sentiment",
        folder: "made-sentiment",
        made: true,
        mistaken_for: None,
        sizes: Sizes {
            mean_tokens: 16.88,
            train: &[2_000, 2_000],
            test: 600,
        },
        ..SST2
    },
    Published {
        name: "mnli",
        folder: "MNLI",
        layout: Layout::Tsv(Columns {
            sentences: &[8, 9],
            label: Label::Last,
        }),
        files: MNLI,
        first_limit: Some(240),
        sizes: Sizes {
            mean_tokens: 40.54,
            train: &[130_000, 130_000, 130_000],
            test: 9_815,
        },
        ..SNLI
    },
    Published {
        name: "mpqa",
        folder: "mpqa",
        other_limit: None,
        sizes: Sizes {
            mean_tokens: 9.80,
            train: &[],
            test: 2_000,
        },
        ..REVIEWS
    },
    Published {
        name: "mr",
        folder: "mr",
        sizes: Sizes {
            mean_tokens: 31.11,
            train: &[4_331, 4_331],
            test: 2_000,
        },
        ..REVIEWS
    },
    Published {
        name: "rte",
        folder: "RTE",
        layout: Layout::Tsv(Columns {
            sentences: &[1, 2],
            label: Label::Last,
        }),
        classes: &[("entailment", "Yes"), ("not_entailment", "No")],
        first_limit: Some(240),
        sizes: Sizes {
            mean_tokens: 71.32,
            train: &[1_249, 1_241],
            test: 277,
        },
        ..SNLI
    },
    SNLI,
    SST2,
    Published {
        name: "sst-5",
        folder: "sst-5",
        classes: &[
            ("0", "terrible"),
            ("1", "bad"),
            ("2", "okay"),
            ("3", "good"),
            ("4", "great"),
        ],
        other_limit: Some(20),
        sizes: Sizes {
            mean_tokens: 28.60,
            train: &[1_092, 2_218, 1_624, 2_322, 1_288],
            test: 2_210,
        },
        ..REVIEWS
    },
    Published {
        name: "trec",
        folder: "trec",
        template: "*cls**mask*:*+sent_0**sep+*",
        classes: &[
            ("0", "Description"),
            ("1", "Entity"),
            ("2", "Expression"),
            ("3", "Human"),
            ("4", "Location"),
            ("5", "Number"),
        ],
        other_limit: None,
        sizes: Sizes {
            mean_tokens: 15.42,
            train: &[1_162, 1_250, 86, 1_223, 835, 896],
            test: 500,
        },
        ..REVIEWS
    },
];
