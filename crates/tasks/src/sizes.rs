//! How much data a task has, for costs that are told before the data are there.

use crate::task::Task;

impl Task {
    /// How many tokens a row has on average in the published prompt, by RoBERTa's tokenizer: measured on the published
    /// train rows, and where these are not at hand (CR, MPQA) estimated from their mean words. At most
    /// [`max_length`](Self::max_length). For a rough cost before there are data; another template or tokenizer shifts it.
    pub fn mean_tokens(&self) -> f64 {
        let mean = self.published().sizes.mean_tokens;
        mean.min(self.max_length() as f64)
    }

    /// How many train rows a split of this k has: k of each class, of a rare class (TREC's `Expression` has 86) all. A
    /// class whose published rows are not known counts as large enough.
    pub fn train_rows(&self, k: usize) -> usize {
        self.of_each_class(|rows| rows.min(k))
    }

    /// How many dev rows a split of this k has: the next k of each class, as far as its rows go.
    pub fn dev_rows(&self, k: usize) -> usize {
        self.of_each_class(|rows| rows.saturating_sub(k).min(k))
    }

    /// How many test rows there are, cut to `cap` where that is less.
    pub fn test_size(&self, cap: Option<usize>) -> usize {
        self.published().sizes.test.min(cap.unwrap_or(usize::MAX))
    }

    fn of_each_class(&self, taken: impl Fn(usize) -> usize) -> usize {
        let known = self.published().sizes.train;
        let rows = |class| known.get(class).copied().unwrap_or(usize::MAX);
        (0..self.labels().len())
            .map(|class| taken(rows(class)))
            .fold(0, usize::saturating_add)
    }
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
