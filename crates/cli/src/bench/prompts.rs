//! `mezo bench prompts`: what steps are timed on, for other programs.

use mezo_train::{Shape, WORDS};

use crate::args::PromptsArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Prints the batches of [`crate::args::StepArgs`]'s RoBERTa shapes.
pub fn prompts(args: &PromptsArgs) -> Result<Exit, Failure> {
    put(&format!("{}\n", text(args.batch.get())))?;
    Ok(Exit::Done)
}

/// The batches as JSON.
pub fn text(sentences: usize) -> serde_json::Value {
    // Both shapes have one vocabulary.
    let batches = mezo_train::prompts(sentences, Shape::Base.config().vocab_size);
    let batches: Vec<Vec<_>> = batches
        .iter()
        .map(|batch| {
            let sentences = batch.iter().map(|example| {
                serde_json::json!({
                    "ids": example.ids,
                    "asked": example.asked,
                    "label": example.label,
                })
            });
            sentences.collect()
        })
        .collect();
    serde_json::json!({ "words": WORDS, "batches": batches })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_sentences() {
        let json = text(3);
        assert_eq!(json["words"], serde_json::json!(WORDS));
        assert_eq!(json["batches"].as_array().map(Vec::len), Some(2));
        let sentence = &json["batches"][1][2];
        let asked = sentence["asked"].as_u64().expect("a number") as usize;
        assert_eq!(sentence["ids"][asked], 50_264);
        assert_eq!(sentence["label"], 1);
    }
}
