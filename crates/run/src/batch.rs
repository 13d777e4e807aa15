//! Which runs can be batched: those that differ in nothing that a pass shares.

use mezo_spec::{Method, MethodName, Trained, Tuning};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::manifest::RunPlan;

/// Says which runs one may be trained with: those of the same key. None for a run that is trained alone.
///
/// It is 16 hexadecimal digits of a hash of all that batched runs share in a pass. Seeds, data, `k`, learning rates,
/// epsilons, batch sizes, steps, schedules and optimisers may differ.
pub fn batch_key(plan: &RunPlan) -> Option<String> {
    let text = json!(shared_in_a_pass(plan)?).to_string();
    let digest = Sha256::digest(text.as_bytes());
    Some(
        digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}

/// All that batched runs share in a pass, each thing with its name; none for a run that is trained alone. how many classes there are is in the task and its label words.
pub fn shared_in_a_pass(plan: &RunPlan) -> Option<Vec<(&'static str, Value)>> {
    let RunPlan { manifest, config } = plan;
    let Method::Mezo(mezo) = &config.method else {
        return None;
    };
    // With the others the model itself is trained, and none of it could be shared.
    let adapts = matches!(mezo.tuning, Tuning::Lora(_) | Tuning::Prefix(_));
    if config.method.name() != MethodName::Mezo || !adapts {
        return None;
    }
    if Trained::of(config, 0, false)?.freezes_a_random_head() {
        return None;
    }
    let task = &config.task;
    let mut method = manifest.config.clone();
    method.retain(|path| path.starts_with("method."));
    let mut model = manifest.config.clone();
    model.retain(|path| path.starts_with("model."));
    Some(vec![
        ("the version of the algorithm", json!(manifest.algorithm)),
        ("precision", json!(config.precision)),
        ("protocol", json!(config.protocol)),
        ("the model", json!(model)),
        ("the model's weights", json!(manifest.weights_sha256)),
        ("the model's config", manifest.model_config.clone()),
        ("the tokenizer", json!(manifest.tokenizer_sha256)),
        ("the task", json!(task.name)),
        ("whether there is a prompt", json!(task.prompt)),
        ("the template", json!(task.template)),
        ("the label words", json!(task.label_words)),
        ("`task.max_length`", json!(task.max_length)),
        ("`task.cut`", json!(task.cut)),
        ("the method", json!(method)),
    ])
}
