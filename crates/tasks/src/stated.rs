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
