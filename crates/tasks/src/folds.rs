//! The folds of scikit-learn's `StratifiedKFold` without shuffling.

/// Which fold each example is set aside in.
#[derive(Debug, Clone)]
pub struct Folds {
    of: Vec<usize>,
}

/// Why cross-validation cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldsError {
    /// A class would be missing from a fold's training part.
    #[error(
        "class {class} has {found} of the train examples, expected at least 2: cross-validation sets some aside"
    )]
    RareClass {
        /// The class.
        class: usize,
        /// How many examples it has.
        found: usize,
    },
    /// scikit-learn refuses these folds too.
    #[error(
        "the largest class has {found} train examples, expected at least {}: one for each fold of the cross-validation",
        Folds::COUNT
    )]
    FewerThanFolds {
        /// How many it has.
        found: usize,
    },
}

impl Folds {
    /// How many folds there are.
    pub const COUNT: usize = 5;

    /// Deals the examples out. With all examples sorted by class, classes in the order in which they are first seen,
    /// every fifth one belongs to a fold: that says how many of each class a fold gets. It gets them in their own order,
    /// the first fold the first ones.
    pub fn of(labels: &[usize], classes: usize) -> Self {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes];
        let mut seen: Vec<usize> = Vec::new();
        for (row, &label) in labels.iter().enumerate() {
            if members[label].is_empty() {
                seen.push(label);
            }
            members[label].push(row);
        }
        let mut of = vec![0; labels.len()];
        let mut place = 0;
        for class in seen {
            let mut share = [0; Self::COUNT];
            for _ in &members[class] {
                share[place % Self::COUNT] += 1;
                place += 1;
            }
            let folds = (0..Self::COUNT).flat_map(|fold| std::iter::repeat_n(fold, share[fold]));
            for (&row, fold) in members[class].iter().zip(folds) {
                of[row] = fold;
            }
        }
        Self { of }
    }

    /// Holds the number of examples of each class against what cross-validation needs.
    ///
    /// # Errors
    /// If a class has one alone, or none has as many as there are folds.
    pub fn check(counts: &[usize]) -> Result<(), FoldsError> {
        let mut rare = counts.iter().enumerate().filter(|(_, found)| **found < 2);
        if let Some((class, &found)) = rare.next() {
            return Err(FoldsError::RareClass { class, found });
        }
        match counts.iter().max() {
            Some(&found) if found < Self::COUNT => Err(FoldsError::FewerThanFolds { found }),
            _ => Ok(()),
        }
    }

    /// The examples to fit on and those set aside, each in order.
    pub fn split(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.of.len()).partition(|row| self.of[*row] != fold)
    }
}

#[cfg(test)]
mod tests {
    use super::Folds;

    #[test]
    fn folds_are_scikit_learns() {
        // StratifiedKFold(5).split of these labels, the fold of each example.
        let labels = [2, 2, 0, 1, 0, 0, 1, 2, 2, 2, 2, 0, 0, 1, 2, 0, 0, 2];
        let expected = [0, 0, 0, 0, 1, 2, 1, 1, 1, 2, 2, 3, 3, 2, 3, 4, 4, 4];
        assert_eq!(Folds::of(&labels, 3).of, expected);
    }
}
