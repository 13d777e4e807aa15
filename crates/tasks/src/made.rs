//! The built-in task `made-sentiment`: film-review sentences made by a small grammar, so that a sweep needs no file.
//! They are made, not found; a number reached on them says nothing about any real data set.
//!
//! The rule of the label. A clause says of a thing that it is, or is not, an adjective; its polarity is the adjective's,
//! turned round by "not" or "never". Intensifiers and filler change nothing. After "but", and after the comma of a
//! sentence that begins with "although", the second clause decides, and the first says the opposite; two clauses joined
//! by "and" agree. The label is the polarity that decides: 1 good, 0 bad.
//!
//! Every test sentence has at least one word that no train sentence has.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use crate::error::Place;
use crate::hash::hash_of;
use crate::read::{Record, Row, Table};
use crate::rng::SplitMix64;

const TRAIN_ROWS: usize = 4_000;
const TEST_ROWS: usize = 600;
const HEADER: &str = "sentence\tlabel\n";

/// Words of which the train part knows some, and the test part the others too.
struct Words {
    known: &'static str,
    held_out: &'static str,
}

const GOOD: Words = Words {
    known: "wonderful brilliant charming funny moving clever beautiful enjoyable fresh excellent \
        touching delightful powerful original fascinating memorable entertaining engaging warm \
        smart thrilling honest intelligent perfect",
    held_out: "superb gripping witty hilarious lovely refreshing impressive amazing sweet remarkable",
};

const BAD: Words = Words {
    known: "dull boring awful weak silly predictable terrible tedious lame flat stupid poor bad \
        ridiculous pathetic annoying pointless shallow tired dumb horrible forgettable empty \
        cheap",
    held_out: "bland clumsy dreadful lazy laughable contrived mediocre disappointing unfunny sloppy",
};

const THINGS: Words = Words {
    known: "acting plot story script dialogue music film movie direction camera pace photography \
        romance comedy villain editing opening finale action production writing atmosphere",
    held_out: "ending cast humor soundtrack hero screenplay suspense premise",
};

const INTENSIFIERS: &str = "very really quite truly rather extremely incredibly";

const FILLERS: [&str; 14] = [
    "on the whole",
    "in the second half",
    "after the first scene",
    "for most of its running time",
    "from the first shot to the last",
    "set in a small town",
    "shot in black and white",
    "made by a young director",
    "like the book it comes from",
    "told in three parts",
    "in this two hour film",
    "as with many films of this kind",
    "seen late at night",
    "on the big screen",
];

/// Both tables, made once: a plan of many runs draws a split of them for every seed.
pub(crate) static TRAIN: LazyLock<Table> = LazyLock::new(train);
pub(crate) static TEST: LazyLock<Table> = LazyLock::new(test);
/// The SHA-256 of the train rows.
pub(crate) static TRAIN_SHA256: LazyLock<String> =
    LazyLock::new(|| hash_of(TRAIN.records.iter().map(|record| &record.row)));

/// The train rows, the same for every seed.
pub(crate) fn train() -> Table {
    table("train", TRAIN_ROWS, 1, false)
}

/// The test rows, the same for every seed.
pub(crate) fn test() -> Table {
    table("test", TEST_ROWS, 2, true)
}

fn table(part: &str, rows: usize, seed: u64, held_out: bool) -> Table {
    let path: Arc<Path> = Arc::from(Path::new(&format!("made-sentiment/{part}.tsv")));
    let mut maker = Maker {
        rng: SplitMix64::new(seed),
        held_out,
        fresh: false,
    };
    let mut seen = BTreeSet::new();
    let mut records = Vec::with_capacity(rows);
    while records.len() < rows {
        let label = records.len() % 2;
        let text = maker.sentence(label == 1);
        if held_out && !maker.fresh || !seen.insert(text.clone()) {
            continue;
        }
        let origin = Place {
            path: Arc::clone(&path),
            // The header is the first line.
            line: records.len() + 2,
            column: 1,
        };
        records.push(Record {
            raw: format!("{text}\t{label}\n"),
            row: Row {
                sentences: vec![text],
                label,
                origin,
            },
        });
    }
    Table {
        header: HEADER.to_owned(),
        records,
    }
}

struct Maker {
    rng: SplitMix64,
    held_out: bool,
    /// Whether the sentence in the making has a held-out word.
    fresh: bool,
}

impl Maker {
    fn sentence(&mut self, good: bool) -> String {
        self.fresh = false;
        let thing = self.pick(&THINGS);
        let mut text = match self.rng.below(100) {
            0..55 => self.clause(thing, good),
            55..69 => {
                let (first, second) = self.two_clauses(thing, !good, good);
                format!("{first} , but {second}")
            }
            69..75 => {
                let (first, second) = self.two_clauses(thing, !good, good);
                format!("although {first} , {second}")
            }
            _ => {
                let (first, second) = self.two_clauses(thing, good, good);
                format!("{first} and {second}")
            }
        };
        if self.rng.chance(40) {
            let filler = FILLERS[self.rng.below(FILLERS.len())];
            text = format!("{filler} , {text}");
        }
        text + " ."
    }

    fn two_clauses(&mut self, thing: &'static str, first: bool, second: bool) -> (String, String) {
        let mut other = self.pick(&THINGS);
        while other == thing {
            other = self.pick(&THINGS);
        }
        (self.clause(thing, first), self.clause(other, second))
    }

    /// "the plot is not very dull": a thing, perhaps a negation, perhaps an intensifier, an adjective.
    fn clause(&mut self, thing: &str, good: bool) -> String {
        let negated = self.rng.chance(15);
        let adjective = self.pick(if good == negated { &BAD } else { &GOOD });
        let mut text = format!("the {thing} is ");
        if negated {
            text += if self.rng.chance(70) {
                "not "
            } else {
                "never "
            };
        }
        if self.rng.chance(40) {
            text += self.any(INTENSIFIERS);
            text.push(' ');
        }
        text + adjective
    }

    fn pick(&mut self, words: &Words) -> &'static str {
        if self.held_out && self.rng.chance(50) {
            self.fresh = true;
            self.any(words.held_out)
        } else {
            self.any(words.known)
        }
    }

    fn any(&mut self, words: &'static str) -> &'static str {
        let words: Vec<&str> = words.split(' ').collect();
        words[self.rng.below(words.len())]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{BAD, GOOD, THINGS, Table, Words, test, train};
    use std::collections::BTreeSet;

    fn texts(table: &Table) -> BTreeSet<&str> {
        table
            .records
            .iter()
            .map(|record| record.row.sentences[0].as_str())
            .collect()
    }

    /// The stated rule, read back from the words alone.
    fn judged(text: &str) -> usize {
        let deciding = text
            .rsplit(" , but ")
            .next()
            .and_then(|clause| clause.rsplit(" , ").next())
            .and_then(|clause| clause.rsplit(" and the ").next())
            .unwrap();
        let words: Vec<&str> = deciding.split(' ').collect();
        let has = |list: &Words| {
            let mut all = list.known.split(' ').chain(list.held_out.split(' '));
            all.any(|word| words.contains(&word))
        };
        assert!(has(&GOOD) != has(&BAD), "{text}");
        let negated = words.contains(&"not") || words.contains(&"never");
        usize::from(has(&GOOD) != negated)
    }

    #[test]
    fn rows_are_distinct_balanced_and_apart() {
        let (train, test) = (train(), test());
        let (train_texts, test_texts) = (texts(&train), texts(&test));
        assert_eq!((train_texts.len(), test_texts.len()), (4_000, 600));
        assert!(train_texts.is_disjoint(&test_texts));
        assert_eq!(train.labels().iter().sum::<usize>(), 2_000);
        assert_eq!(test.labels().iter().sum::<usize>(), 300);
    }

    #[test]
    fn labels_follow_the_stated_rule() {
        for record in train().records.iter().chain(&test().records) {
            let text = &record.row.sentences[0];
            assert_eq!(judged(text), record.row.label, "{text}");
        }
    }

    #[test]
    fn held_out_words_are_in_every_test_row_and_in_no_train_row() {
        let held_out: BTreeSet<&str> = [GOOD, BAD, THINGS]
            .iter()
            .flat_map(|words| words.held_out.split(' '))
            .collect();
        let has = |text: &&str| text.split(' ').any(|word| held_out.contains(word));
        assert!(!texts(&train()).iter().any(has));
        assert!(texts(&test()).iter().all(has));
    }

    #[test]
    fn sentences_are_spaced_like_sst() {
        let table = train();
        for text in texts(&table) {
            assert!(text.ends_with(" ."), "{text}");
            assert!(!text.contains("  "), "{text}");
            assert_eq!(text, text.to_lowercase());
        }
    }

    #[test]
    fn sentences_stay_what_they_were() {
        // Results name the data by its hash.
        let expected = "sentence\tlabel\n\
            although the romance is touching , the atmosphere is extremely bad .\t0\n\
            the comedy is rather touching .\t1\n\
            the villain is not very delightful and the plot is incredibly shallow .\t0\n\
            the romance is beautiful .\t1\n";
        assert_eq!(train().write(&[0, 1, 2, 3]), expected);
    }
}
