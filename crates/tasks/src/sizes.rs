//! How much data the published tasks have.

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

// MNLI's and SNLI's tokens are means over the published 16-shot splits, their train classes round numbers. CR's and
// MPQA's tokens are their mean words (19 and 3; Kim 2014, table 1) at the tokens for a word of MR, which has 20 words.

pub(crate) const CR: Sizes = Sizes {
    mean_tokens: 29.90,
    train: &[],
    test: 2_000,
};

pub(crate) const GLUE_SST2: Sizes = Sizes {
    mean_tokens: 18.36,
    train: &[29_780, 37_569],
    test: 872,
};

pub(crate) const MADE: Sizes = Sizes {
    mean_tokens: 16.88,
    train: &[2_000, 2_000],
    test: 600,
};

pub(crate) const MNLI: Sizes = Sizes {
    mean_tokens: 40.54,
    train: &[130_000, 130_000, 130_000],
    test: 9_815,
};

pub(crate) const MPQA: Sizes = Sizes {
    mean_tokens: 9.80,
    train: &[],
    test: 2_000,
};

pub(crate) const MR: Sizes = Sizes {
    mean_tokens: 31.11,
    train: &[4_331, 4_331],
    test: 2_000,
};

pub(crate) const RTE: Sizes = Sizes {
    mean_tokens: 71.32,
    train: &[1_249, 1_241],
    test: 277,
};

pub(crate) const SNLI: Sizes = Sizes {
    mean_tokens: 27.26,
    train: &[183_000, 183_000, 183_000],
    test: 9_842,
};

pub(crate) const SST2: Sizes = Sizes {
    mean_tokens: 28.78,
    train: &[3_310, 3_610],
    test: 872,
};

pub(crate) const SST5: Sizes = Sizes {
    mean_tokens: 28.60,
    train: &[1_092, 2_218, 1_624, 2_322, 1_288],
    test: 2_210,
};

pub(crate) const TREC: Sizes = Sizes {
    mean_tokens: 15.42,
    train: &[1_162, 1_250, 86, 1_223, 835, 896],
    test: 500,
};
