//! Which runs may be trained together: those that differ in nothing that a pass shares.

use std::path::{Path, PathBuf};

use mezo_model::HeadKind;
use mezo_run::RunPlan;
use mezo_spec::{Method, MethodName, Tuning};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::initial;

/// Why runs cannot be trained together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTogether {
    /// A run that shares no model with others: what it trains is the model, or it goes by no estimates.
    #[error("{}: cannot be trained beside other runs", dir.display())]
    Alone {
        /// Its directory.
        dir: PathBuf,
    },
    /// Two runs that differ in what one pass has only once.
    #[error("{} and {}: cannot be trained together, they differ in {what}", one.display(), other.display())]
    Differ {
        /// The directory of one.
        one: PathBuf,
        /// That of the other.
        other: PathBuf,
        /// The first thing they differ in.
        what: &'static str,
    },
}

impl NotTogether {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Alone { .. } => {
                "give its directory alone: only LoRA and prefix runs of MeZO go together"
            }
            Self::Differ { .. } => {
                "give them one at a time: runs that go together share model, task, method and precision"
            }
        }
    }
}

/// Says which runs one may be trained with: those of the same key. None for a run that is trained alone.
///
/// It is 16 hexadecimal digits of a hash of all that batched runs share in a pass. Seeds, data, `k`, learning rates,
/// epsilons, batch sizes, steps, schedules and optimisers may differ.
pub fn batch_key(plan: &RunPlan) -> Option<String> {
    let text = json!(all_shared(plan)?).to_string();
    let digest = Sha256::digest(text.as_bytes());
    Some(
        digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}

/// All that must agree, each thing with its name; how many classes there are is in the task and its label words.
fn all_shared(plan: &RunPlan) -> Option<Vec<(&'static str, Value)>> {
    let RunPlan { manifest, config } = plan;
    let Method::Mezo(mezo) = &config.method else {
        return None;
    };
    // With the others the model itself is trained, and none of it could be shared.
    let adapts = matches!(mezo.tuning, Tuning::Lora(_) | Tuning::Prefix(_));
    if config.method.name() != MethodName::Mezo || !adapts {
        return None;
    }
    // A classifier is drawn by the run's seed: one that is not trained is frozen, and yet each run's own.
    let trained = initial::trained(config, 0, false)?;
    if matches!(trained.head, HeadKind::Classifier { .. }) && !trained.with_head {
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

/// Holds that runs may be trained together; one alone always may.
pub(crate) fn check<'m>(
    runs: impl IntoIterator<Item = (&'m Path, &'m RunPlan)>,
) -> Result<(), NotTogether> {
    let runs: Vec<(&Path, &RunPlan)> = runs.into_iter().collect();
    let [(one, first), others @ ..] = runs.as_slice() else {
        return Ok(());
    };
    if others.is_empty() {
        return Ok(());
    }
    let expected = shared(one, first)?;
    for (other, manifest) in others {
        let found = shared(other, manifest)?;
        let mut pairs = expected.iter().zip(&found);
        if let Some(((what, _), _)) = pairs.find(|(expected, found)| expected != found) {
            return Err(NotTogether::Differ {
                one: one.to_path_buf(),
                other: other.to_path_buf(),
                what,
            });
        }
    }
    Ok(())
}

fn shared(dir: &Path, plan: &RunPlan) -> Result<Vec<(&'static str, Value)>, NotTogether> {
    let alone = || NotTogether::Alone { dir: dir.into() };
    all_shared(plan).ok_or_else(alone)
}
