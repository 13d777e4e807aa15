//! From a model to files that Hugging Face's libraries load.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;

use crate::error::ModelError;
use crate::folder::{ModelFiles, WHOLE};
use crate::load::{DECODER_BIAS, HEAD_BIAS};
use crate::lora::LoraConfig;
use crate::parameters::NamedTensor;
use crate::roberta::Roberta;

/// The bytes of a safetensors file with these tensors in f32.
///
/// Only the tensors and their order by name decide the bytes.
///
/// # Panics
/// If a tensor's shape does not fit its values.
pub fn to_safetensors(tensors: &[NamedTensor]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| {
            tensor
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        })
        .collect();
    let views: Vec<(&str, TensorView<'_>)> = tensors
        .iter()
        .zip(&bytes)
        .map(|(tensor, bytes)| {
            // A file that lacks a tensor without a word would be worse than an end here.
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)
                .expect("a tensor's shape fits its values");
            (tensor.name.as_str(), view)
        })
        .collect();
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(views, Some(metadata)).expect("whole tensors can be written to memory")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let failed = |source| ModelError::Write {
        path: path.into(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, bytes).map_err(failed)
}

impl Roberta {
    /// Writes the whole model as a folder in Hugging Face's layout: `config.json`, `model.safetensors` in f32, and the
    /// tokenizer's files as they are.
    ///
    /// LoRA's terms are not part of it; [`Self::save_adapter`] writes those.
    ///
    /// # Errors
    /// If the files the model came from cannot be read, or the folder not be written.
    pub fn save(&self, files: &ModelFiles, folder: &Path) -> Result<(), ModelError> {
        let config = self.config_as_saved(files)?;
        let tokenizer = files.tokenizer()?;
        write(&folder.join("config.json"), config.as_bytes())?;
        for file in tokenizer {
            if let Some(name) = file.path.file_name() {
                write(&folder.join(name), &file.bytes)?;
            }
        }
        let mut tensors = self.tensors(|name, _| Self::is_base(name));
        if self.head.decoder.is_some() {
            // A decoder of the head's own reads its bias under this name there.
            let bias = tensors
                .iter()
                .find(|tensor| tensor.name == HEAD_BIAS)
                .cloned();
            tensors.extend(bias.map(|bias| NamedTensor {
                name: DECODER_BIAS.into(),
                ..bias
            }));
        }
        write(&folder.join(WHOLE), &to_safetensors(&tensors))
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
        config.insert(
            "architectures".into(),
            Value::from(vec!["RobertaForMaskedLM"]),
        );
        config.insert(
            "tie_word_embeddings".into(),
            self.head.decoder.is_none().into(),
        );
        Ok(format!("{:#}\n", Value::Object(config)))
    }

    /// Writes LoRA's terms as an adapter folder in PEFT's layout.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save_adapter(
        &self,
        lora: LoraConfig,
        base: &str,
        folder: &Path,
    ) -> Result<(), ModelError> {
        let config = serde_json::json!({
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
        let mut tensors = self.tensors(|name, _| !Self::is_base(name));
        for tensor in &mut tensors {
            tensor.name = format!("base_model.model.{}.weight", tensor.name);
        }
        write(
            &folder.join("adapter_config.json"),
            format!("{config:#}\n").as_bytes(),
        )?;
        write(
            &folder.join("adapter_model.safetensors"),
            &to_safetensors(&tensors),
        )
    }
}
