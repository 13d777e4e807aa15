//! What the measurements read: prompts as long as real ones, of words drawn as language draws them.

use mezo_model::philox_words;
use mezo_tasks::Example;

/// Sentences of a published batch.
const BATCH: usize = 64;

/// Tokens of the prompts in the first two batches of 64 that a run of seed 87 sees of SST-2 at 512 examples a class (`<s> ...
/// It was <mask> . </s>`, RoBERTa's vocabulary): 1,838 a batch, 3,680 when padded to the longest of each. Ten epochs of each of
/// the five published seeds have 1,859 and 3,735.
const LENGTHS: [usize; 2 * BATCH] = [
    45, 20, 29, 23, 23, 34, 34, 27, 23, 27, 21, 57, 14, 37, 14, 17, 21, 28, 48, 16, 30, 42, 15, 21,
    37, 44, 49, 15, 22, 30, 21, 34, 32, 28, 18, 17, 32, 35, 25, 30, 30, 48, 35, 30, 23, 34, 31, 30,
    21, 13, 20, 49, 27, 35, 40, 20, 19, 27, 36, 16, 31, 23, 28, 18, //
    15, 21, 26, 35, 23, 58, 50, 20, 18, 18, 28, 39, 23, 28, 16, 41, 24, 22, 14, 17, 28, 36, 29, 22,
    23, 18, 33, 32, 14, 27, 45, 37, 37, 21, 48, 20, 37, 40, 44, 35, 44, 17, 19, 27, 25, 28, 15, 37,
    23, 45, 49, 28, 16, 30, 27, 45, 45, 11, 14, 19, 45, 28, 40, 19, //
];

/// The label words of SST-2 in RoBERTa's vocabulary: " terrible", " great".
pub const WORDS: [usize; 2] = [6587, 372];

/// `<s>`
const START: u32 = 0;
/// ` It was`
const IT_WAS: [u32; 2] = [85, 21];
/// `. </s>`
const END: [u32; 2] = [4, 2];

/// Two batches of prompts, each of `sentences`: with 64, batches that a run sees but for the words in their sentences.
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
        assert_eq!(sums, [1819, 1858]);
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
        let split = k_shot(&task, Some(&data.join("lmbff")), 512, 87, None).expect("a split");
        let train = task.encode(&tokenizer, &split.train).expect("tokens");
        let order = Order::new(train.len(), BATCH, 87);
        let rows = (0..2).flat_map(|step| order.batch(step));
        let lengths: Vec<usize> = rows.map(|row| train[row].ids.len()).collect();
        assert_eq!(lengths, LENGTHS);
        let words = task.label_word_ids(&tokenizer).expect("label words");
        assert!(words.iter().map(|&word| word as usize).eq(WORDS));
    }
}
