//! How many scalars a run trains, told from the model's sizes alone.

use crate::config::RobertaConfig;
use crate::tuning::Tuning;

/// What of a model is trained, as [`RobertaConfig::trained_scalars`] counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trained {
    /// Which weights.
    pub tuning: Tuning,
    /// Whether the head is trained beside LoRA, the prefixes or the biases, as
    /// [`Roberta::train_only`](crate::Roberta::train_only) takes it.
    pub with_head: bool,
    /// The head there is.
    pub head: HeadKind,
    /// r, read for [`Tuning::Lora`].
    pub lora_rank: usize,
    /// m, read for [`Tuning::Prefix`].
    pub prefix_tokens: usize,
}

/// What turns hidden states into scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadKind {
    /// The head for words, its decoder the word table.
    Tied,
    /// The head for words with a decoder of its own.
    Untied,
    /// A classifier.
    Classifier {
        /// C
        classes: usize,
    },
}

/// The scalars of a part of the model, and how many of them are biases.
#[derive(Clone, Copy)]
struct Part {
    all: usize,
    biases: usize,
}

impl Part {
    fn linear(input: usize, output: usize) -> Self {
        Self {
            all: input * output + output,
            biases: output,
        }
    }

    fn norm(width: usize) -> Self {
        Self {
            all: 2 * width,
            biases: width,
        }
    }

    fn table(rows: usize, width: usize) -> Self {
        Self {
            all: rows * width,
            biases: 0,
        }
    }

    fn sum(parts: &[Self]) -> Self {
        Self {
            all: parts.iter().map(|part| part.all).sum(),
            biases: parts.iter().map(|part| part.biases).sum(),
        }
    }
}

impl RobertaConfig {
    /// How many scalars such a run trains: [`Roberta::trainable_scalars`](crate::Roberta::trainable_scalars) without a
    /// model.
    pub fn trained_scalars(&self, trained: &Trained) -> usize {
        let layers = self.num_hidden_layers;
        let (embeddings, layer, head) = (self.embeddings(), self.layer(), self.head(trained.head));
        let beside = if trained.with_head { head.all } else { 0 };
        match trained.tuning {
            Tuning::Full => embeddings.all + layers * layer.all + head.all,
            Tuning::Head => head.all,
            Tuning::Lora => self.lora_scalars(trained.lora_rank) + beside,
            Tuning::Prefix => layers * 2 * trained.prefix_tokens * self.hidden_size + beside,
            Tuning::Bias => embeddings.biases + layers * layer.biases + beside.max(head.biases),
        }
    }

    /// How many scalars the reference perturbs and decays beside the ones that its forward pass reads: a pooler under
    /// full tuning, and a classifier under full tuning and beside LoRA's head (medium_models/src/models.py, run.py:939-942).
    pub fn unread_scalars(&self, tuning: Tuning, classes: usize) -> usize {
        let width = self.hidden_size;
        let pooler = Part::linear(width, width).all;
        let classifier = Part::linear(width, classes).all;
        match tuning {
            Tuning::Full => pooler + classifier,
            Tuning::Lora => classifier,
            Tuning::Prefix | Tuning::Head | Tuning::Bias => 0,
        }
    }

    fn embeddings(&self) -> Part {
        let width = self.hidden_size;
        Part::sum(&[
            Part::table(self.vocab_size, width),
            Part::table(self.max_position_embeddings, width),
            Part::table(self.type_vocab_size, width),
            Part::norm(width),
        ])
    }

    fn layer(&self) -> Part {
        let (width, inner) = (self.hidden_size, self.intermediate_size);
        let square = Part::linear(width, width);
        let norm = Part::norm(width);
        Part::sum(&[
            square,
            square,
            square,
            square,
            norm,
            Part::linear(width, inner),
            Part::linear(inner, width),
            norm,
        ])
    }

    fn head(&self, kind: HeadKind) -> Part {
        let (width, words) = (self.hidden_size, self.vocab_size);
        let dense = Part::linear(width, width);
        let bias = Part {
            all: words,
            biases: words,
        };
        match kind {
            HeadKind::Tied => Part::sum(&[dense, Part::norm(width), bias]),
            HeadKind::Untied => {
                let decoder = Part::table(words, width);
                Part::sum(&[dense, Part::norm(width), bias, decoder])
            }
            HeadKind::Classifier { classes } => Part::sum(&[dense, Part::linear(width, classes)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::lora::LoraConfig;
    use crate::prefix::{PrefixConfig, PrefixInit};
    use crate::roberta::Roberta;

    const LARGE: &str = r#"{ "model_type": "roberta", "vocab_size": 50265, "hidden_size": 1024,
        "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
        "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1 }"#;

    fn trained(tuning: Tuning, with_head: bool, head: HeadKind) -> Trained {
        Trained {
            tuning,
            with_head,
            head,
            lora_rank: 8,
            prefix_tokens: 5,
        }
    }

    fn large() -> RobertaConfig {
        RobertaConfig::parse("config.json".as_ref(), LARGE).expect("written just above")
    }

    #[test]
    fn what_the_reference_perturbs_of_roberta_large() {
        let count = |tuning, with_head, head| {
            large().trained_scalars(&trained(tuning, with_head, head))
                + large().unread_scalars(tuning, 2)
        };
        assert_eq!(count(Tuning::Full, false, HeadKind::Untied), 407_935_067);
        assert_eq!(
            count(Tuning::Lora, true, HeadKind::Untied),
            786_432 + 52_573_273 + 2_050
        );
        assert_eq!(count(Tuning::Prefix, false, HeadKind::Untied), 245_760);
    }

    #[test]
    fn counted_as_built() {
        let config = RobertaConfig {
            vocab_size: 11,
            hidden_size: 6,
            num_hidden_layers: 3,
            num_attention_heads: 2,
            intermediate_size: 10,
            max_position_embeddings: 9,
            type_vocab_size: 2,
            ..large()
        };
        let heads = [
            HeadKind::Tied,
            HeadKind::Untied,
            HeadKind::Classifier { classes: 3 },
        ];
        let tunings = [
            Tuning::Full,
            Tuning::Lora,
            Tuning::Prefix,
            Tuning::Head,
            Tuning::Bias,
        ];
        for head in heads {
            let mut model = Roberta::zeros(&config, &Device::flex());
            model.attach_lora(
                LoraConfig {
                    rank: 8,
                    alpha: 16.0,
                },
                0,
            );
            let prefix = PrefixConfig {
                tokens: 5,
                init: PrefixInit::Activations,
            };
            model.attach_prefix(prefix, 0);
            match head {
                HeadKind::Tied => {}
                HeadKind::Untied => model.untie_decoder(),
                HeadKind::Classifier { classes } => model.attach_classifier(classes, 0),
            }
            for tuning in tunings {
                for with_head in [false, true] {
                    model.train_only(tuning, with_head);
                    let rules = trained(tuning, with_head, head);
                    assert_eq!(
                        model.trainable_scalars(),
                        config.trained_scalars(&rules),
                        "{rules:?}"
                    );
                }
            }
        }
    }
}
