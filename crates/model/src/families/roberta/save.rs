//! From RoBERTa to files that Hugging Face's libraries load.

use std::path::Path;

use serde_json::Value;

use super::Roberta;
use crate::adapters::lora::LoraConfig;
use mezo_weights::ModelError;
use mezo_weights::roberta::{DECODER, DECODER_BIAS, HEAD_BIAS, WORDS};
use mezo_weights::{ModelFiles, WHOLE};
use mezo_weights::{NamedTensor, is_adapter, is_head, is_lora, is_prefix, is_word_head};
use mezo_weights::{to_safetensors, write, write_json};

impl Roberta {
    /// Writes the whole model as a folder in Hugging Face's layout: `config.json`, `model.safetensors` in f32, and the
    /// tokenizer's files as they are.
    ///
    /// With a classifier attached it is a `RobertaForSequenceClassification`, without the head for words. LoRA's terms and
    /// prefixes are not part of it; [`Self::save_adapter`] and [`Self::save_prefixes`] write those.
    ///
    /// # Errors
    /// If the files the model came from cannot be read, or the folder not be written.
    pub(super) fn save_whole(&self, files: &ModelFiles, folder: &Path) -> Result<(), ModelError> {
        let config = self.config_as_saved(files)?;
        let tokenizer = files.tokenizer()?;
        write(&folder.join("config.json"), config.as_bytes())?;
        for file in tokenizer {
            if let Some(name) = file.path.file_name() {
                write(&folder.join(name), &file.bytes)?;
            }
        }
        let words = self.classifier.is_none();
        let mut tensors =
            self.tensors(|name, _| !is_adapter(name) && (words || !is_word_head(name)));
        if words && self.head.decoder.is_some() {
            add_decoder_bias(&mut tensors);
        }
        write(&folder.join(WHOLE), &to_safetensors(&tensors))
    }

    /// The tensors of the head in use as far as they may differ from those of the model it was loaded from: what is
    /// trained, and all of a new head. A frozen one counts: who loads the base model has neither the rows that linear
    /// probing wrote nor a classifier as it was drawn. A copy of the word table that stays as it was is the base's.
    fn own_head(&self) -> Vec<NamedTensor> {
        let replaced = self.classifier.is_some();
        self.tensors(|name, weight| {
            let in_use = is_head(name) && !(replaced && is_word_head(name));
            in_use && (self.new_head || weight.parameter.is_some())
        })
    }

    /// [`Self::own_head`] as PEFT wants it, whole and with a decoder even where that is the word table, and the name of its
    /// module. None where it is the base model's.
    fn own_head_module(&self) -> Option<(&'static str, Vec<NamedTensor>)> {
        let mut tensors = self.own_head();
        if !is_word_head(&tensors.first()?.name) {
            return Some(("classifier", tensors));
        }
        if self.head.decoder.is_none() {
            let words = self.tensors(|name, _| name == WORDS);
            tensors.extend(words.into_iter().map(|words| NamedTensor {
                name: DECODER.into(),
                ..words
            }));
        }
        add_decoder_bias(&mut tensors);
        Some(("lm_head", tensors))
    }

    /// The `config.json` the model came with, where it speaks of the weights brought to what is written.
    ///
    /// Hugging Face's loader believes it: `float16` would round the weights, and a wrong word on tying would leave the
    /// decoder to chance.
    fn config_as_saved(&self, files: &ModelFiles) -> Result<String, ModelError> {
        let (path, text) = files.config()?;
        let mut config: serde_json::Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| ModelError::json(path, &error))?;
        // The older name of `dtype`.
        config.remove("torch_dtype");
        config.insert("dtype".into(), "float32".into());
        let architecture = match &self.classifier {
            None => "RobertaForMaskedLM",
            Some(classifier) => {
                let classes = 0..classifier.rows.dims()[0];
                let label = |class: usize| format!("LABEL_{class}");
                let ids: serde_json::Map<_, _> = classes
                    .map(|class| (class.to_string(), label(class).into()))
                    .collect();
                // The number of classes is told by their names there.
                let labels: serde_json::Map<_, _> = (0..ids.len())
                    .map(|class| (label(class), class.into()))
                    .collect();
                config.insert("id2label".into(), ids.into());
                config.insert("label2id".into(), labels.into());
                "RobertaForSequenceClassification"
            }
        };
        config.insert("architectures".into(), Value::from(vec![architecture]));
        config.insert(
            "tie_word_embeddings".into(),
            self.head.decoder.is_none().into(),
        );
        Ok(format!("{:#}\n", Value::Object(config)))
    }

    /// Writes LoRA's terms as an adapter folder in PEFT's layout, and the head beside them (`modules_to_save`) where it
    /// is not the base model's: trained too, or frozen as it was attached.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub(super) fn save_adapter(
        &self,
        lora: LoraConfig,
        base: &str,
        folder: &Path,
    ) -> Result<(), ModelError> {
        let mut config = serde_json::json!({
            "peft_type": "LORA",
            "base_model_name_or_path": base,
            "task_type": null,
            "inference_mode": true,
            "r": lora.rank,
            "lora_alpha": lora.alpha,
            "lora_dropout": 0.0,
            "bias": "none",
            "fan_in_fan_out": false,
            "init_lora_weights": true,
            "target_modules": ["query", "value"],
        });
        let mut tensors = self.tensors(|name, _| is_lora(name));
        for tensor in &mut tensors {
            tensor.name.push_str(".weight");
        }
        if let Some((module, head)) = self.own_head_module() {
            config["modules_to_save"] = vec![module].into();
            tensors.extend(head);
        }
        for tensor in &mut tensors {
            tensor.name = format!("base_model.model.{}", tensor.name);
        }
        write_json(&folder.join("adapter_config.json"), &config)?;
        let weights = to_safetensors(&tensors);
        write(&folder.join("adapter_model.safetensors"), &weights)
    }

    /// Writes the prefixes as a folder of this program's own: `prefix_config.json` names the model they belong to and
    /// their length, `prefix.safetensors` holds `layer.<i>.prefix_key` and `layer.<i>.prefix_value`, `[m, H]` each, and the
    /// head's tensors where it is not the base model's: trained too, or frozen as it was attached.
    ///
    /// PEFT's prefixes move the positions of a sentence's tokens and these do not, so theirs is not the layout.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub(super) fn save_prefixes(&self, base: &str, folder: &Path) -> Result<(), ModelError> {
        let prefix = self.layers.iter().find_map(|layer| layer.prefix.as_ref());
        let tokens = prefix.map_or(0, |prefix| prefix.keys.dims()[0]);
        let config = serde_json::json!({
            "base_model_name_or_path": base,
            "tokens": tokens,
        });
        let mut tensors = self.tensors(|name, _| is_prefix(name));
        tensors.extend(self.own_head());
        write_json(&folder.join("prefix_config.json"), &config)?;
        write(
            &folder.join("prefix.safetensors"),
            &to_safetensors(&tensors),
        )
    }
}

/// Hugging Face's library reads the bias of a decoder of the head's own under a second name.
fn add_decoder_bias(tensors: &mut Vec<NamedTensor>) {
    let bias = tensors.iter().find(|tensor| tensor.name == HEAD_BIAS);
    let named = bias.map(|bias| NamedTensor {
        name: DECODER_BIAS.into(),
        ..bias.clone()
    });
    tensors.extend(named);
}
