//! What the measurements read: prompts as long as real ones, of words drawn as language draws them.

use mezo_model::philox_words;
use mezo_tasks::Example;

/// Sentences of a published batch.
const BATCH: usize = 64;

/// Tokens of the prompts in the first four batches of 64 that a run of seed 13 sees of SST-2 at 512 examples a class (`<s> ...
/// It was <mask> . </s>`, RoBERTa's vocabulary): 1,794 a batch, 3,632 when padded to the longest of each.
const LENGTHS: [usize; 4 * BATCH] = [
    38, 32, 24, 40, 23, 41, 29, 23, 20, 34, 33, 21, 38, 23, 26, 41, 28, 29, 14, 13, 21, 17, 32, 20,
    30, 47, 29, 26, 20, 35, 26, 30, 13, 23, 60, 25, 37, 13, 23, 21, 26, 23, 29, 22, 30, 24, 22, 17,
    44, 46, 18, 43, 23, 22, 28, 48, 27, 22, 31, 30, 28, 12, 18, 43, //
    26, 30, 15, 42, 39, 33, 34, 17, 25, 26, 25, 31, 36, 31, 30, 23, 22, 22, 25, 25, 21, 21, 12, 27,
    35, 37, 45, 30, 24, 44, 18, 12, 25, 26, 42, 27, 14, 30, 14, 18, 22, 28, 37, 23, 12, 22, 25, 47,
    16, 22, 14, 51, 36, 17, 13, 16, 29, 19, 19, 14, 36, 18, 33, 28, //
    21, 26, 21, 49, 19, 33, 26, 46, 34, 31, 24, 13, 37, 29, 41, 51, 30, 12, 17, 34, 34, 11, 19, 12,
    49, 27, 24, 17, 26, 21, 11, 25, 37, 28, 22, 29, 45, 17, 24, 28, 13, 22, 30, 19, 22, 20, 16, 18,
    29, 18, 23, 39, 40, 37, 10, 41, 22, 28, 36, 14, 42, 34, 42, 11, //
    65, 51, 26, 38, 41, 29, 11, 25, 30, 32, 39, 17, 12, 16, 15, 40, 21, 54, 38, 53, 27, 35, 17, 32,
    50, 30, 25, 29, 29, 21, 37, 24, 48, 31, 41, 18, 20, 29, 21, 47, 16, 24, 29, 29, 37, 27, 30, 19,
    27, 18, 38, 40, 33, 37, 21, 30, 35, 32, 30, 33, 27, 25, 15, 64,
];

/// The label words of SST-2 in RoBERTa's vocabulary: " terrible", " great".
pub const WORDS: [usize; 2] = [6587, 372];

/// `<s>`
const START: u32 = 0;
/// ` It was`
const IT_WAS: [u32; 2] = [85, 21];
/// `. </s>`
const END: [u32; 2] = [4, 2];

/// Four batches of prompts, each of `sentences`: with 64, batches that a run sees but for the words in their sentences.
///
/// A word is drawn with a chance that falls as one over its number (Zipf's law), so that a batch has about as many distinct
/// ones as language has. Padding is never among them.
pub fn prompts(sentences: usize, vocabulary: usize) -> Vec<Vec<Example>> {
    let prompt = |number| prompt(number, vocabulary);
    let batch = |batch| (batch * sentences..(batch + 1) * sentences).map(prompt);
    (0..LENGTHS.len() / BATCH)
        .map(|number| batch(number).collect())
        .collect()
}

fn prompt(number: usize, vocabulary: usize) -> Example {
    let length = LENGTHS[number % LENGTHS.len()];
    // In RoBERTa's vocabulary the mask is the last word.
    let mask = vocabulary as u32 - 1;
    let own = length - 1 - IT_WAS.len() - 1 - END.len();
    let mut ids = vec![START];
    ids.extend((0..own).map(|place| word(number as u32, place as u32, mask)));
    ids.extend(IT_WAS);
    let asked = ids.len();
    ids.push(mask);
    ids.extend(END);
    Example {
        ids,
        asked,
        label: number % WORDS.len(),
    }
}

/// A word below `mask` and above the padding and the ends.
fn word(sentence: u32, place: u32, mask: u32) -> u32 {
    let [word, ..] = philox_words([place, sentence, 0, 0], 0);
    let uniform = f64::from(word) / f64::from(u32::MAX);
    let first = f64::from(END[0]);
    let drawn = first * (f64::from(mask - 1) / first).powf(uniform);
    (drawn as u32).min(mask - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use mezo_tasks::{Order, Task, Tokenizer, k_shot};

    #[test]
    fn batches_as_a_run_sees_them() {
        let batches = prompts(64, 50_265);
        let tokens = |batch: &Vec<Example>| batch.iter().map(|example| example.ids.len()).sum();
        let sums: Vec<usize> = batches.iter().map(tokens).collect();
        assert_eq!(sums, [1794, 1676, 1726, 1980]);
        for example in batches.iter().flatten() {
            assert_eq!(example.ids[example.asked], 50_264);
            assert_eq!(example.ids.len() - example.asked, 3);
            assert!(!example.ids.contains(&1), "padding");
        }
    }

    #[test]
    fn words_repeat_as_in_language() {
        let mut ids: Vec<u32> = prompts(64, 50_265)
            .swap_remove(0)
            .into_iter()
            .flat_map(|example| example.ids)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert!((500..1000).contains(&ids.len()), "{} distinct", ids.len());
    }

    #[test]
    fn other_sizes_of_a_batch() {
        let batches = prompts(100, 200);
        assert!(batches.iter().all(|batch| batch.len() == 100));
        let ids = batches.iter().flatten().flat_map(|example| &example.ids);
        assert!(ids.copied().all(|id| id < 200));
    }

    #[test]
    fn lengths_are_those_of_a_run() {
        let shared = std::env::var_os("MEZO_SHARED");
        let data = Path::new(&shared.unwrap_or_else(|| "../../../shared".into())).join("data");
        if !data.join("lmbff/SST-2").exists() {
            return;
        }
        let tokenizer = Tokenizer::from_folder(&data.join("roberta-tokenizer")).expect("RoBERTa's");
        let task = Task::by_name("sst-2").expect("a published task");
        let split = k_shot(&task, Some(&data.join("lmbff")), 512, 13, None).expect("a split");
        let train = task.encode(&tokenizer, &split.train).expect("tokens");
        let order = Order::new(train.len(), BATCH, 13);
        let rows = (0..4).flat_map(|step| order.batch(step));
        let lengths: Vec<usize> = rows.map(|row| train[row].ids.len()).collect();
        assert_eq!(lengths, LENGTHS);
        let words = task.label_word_ids(&tokenizer).expect("label words");
        assert!(words.iter().map(|&word| word as usize).eq(WORDS));
    }
}
