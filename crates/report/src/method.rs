//! What a method is called in a table.

use mezo_run::Manifest;
use mezo_spec::{Estimates, METHOD_NAME, Mezo, Scale, TUNING, TaskSpec, Training, Values};

use crate::digits::number_text;

/// The names of the methods in the order of the paper's Table 18, and after them those it has not.
const ORDER: [&str; 13] = [
    "zero-shot",
    "LP",
    "MeZO",
    "MeZO (LoRA)",
    "MeZO (prefix)",
    "MeZO-Adam",
    "FT",
    "FT (LoRA)",
    "FT (prefix)",
    "FT (SGD)",
    "LP-MeZO",
    "MeZO (head)",
    "MeZO (bias)",
];

/// The method in the paper's words (Table 18), and after it what is not as usual: `MeZO (LoRA), no prompt`.
pub fn label(manifest: &Manifest) -> String {
    of_values(&manifest.config)
}

fn of_values(config: &Values) -> String {
    let mut words = vec![name(config)];
    words.extend(unusual(config));
    words.join(", ")
}

/// The place of a label among others: a plain method before its variants.
pub(crate) fn rank(label: &str) -> usize {
    let name = label.split(", ").next().unwrap_or(label);
    ORDER
        .iter()
        .position(|known| *known == name)
        .unwrap_or(ORDER.len())
}

fn name(config: &Values) -> String {
    let name = config.text(&METHOD_NAME).unwrap_or_default();
    let adam = optimizer(config) == "adam";
    let (name, optimizer) = match (name, adam) {
        ("mezo", false) => ("MeZO", None),
        ("mezo", true) => ("MeZO-Adam", None),
        ("ft", true) => ("FT", None),
        ("ft", false) => ("FT", Some("SGD")),
        ("lp", _) => ("LP", None),
        ("lp-mezo", _) => ("LP-MeZO", None),
        (other, _) => (other, None),
    };
    let tuning = match config.text(&TUNING) {
        None | Some("full") => None,
        Some("lora") => Some("LoRA"),
        Some(other) => Some(other),
    };
    match (tuning, optimizer) {
        (None, None) => name.to_owned(),
        (Some(one), None) | (None, Some(one)) => format!("{name} ({one})"),
        (Some(tuning), Some(optimizer)) => format!("{name} ({tuning} {optimizer})"),
    }
}

/// The optimizer: where the manifest has none, MeZO goes by SGD and fine-tuning by Adam.
fn optimizer(config: &Values) -> &str {
    let usual = match config.text(&METHOD_NAME) {
        Some("ft") => "adam",
        _ => "sgd",
    };
    config.text(&Training::OPTIMIZER).unwrap_or(usual)
}

fn unusual(config: &Values) -> Vec<String> {
    let mut words = Vec::new();
    if config.flag(&TaskSpec::PROMPT) == Some(false) {
        words.push("no prompt".to_owned());
    }
    match config.text(&Mezo::OBJECTIVE) {
        None | Some("cross-entropy") => {}
        Some("f1") => words.push("F1 objective".to_owned()),
        Some(other) => words.push(format!("{other} objective")),
    }
    let momentum = config.number(&Training::MOMENTUM);
    let momentum = momentum.filter(|momentum| *momentum != 0.0);
    words.extend(momentum.map(|momentum| format!("momentum {}", number_text(momentum))));
    if config.text(&Mezo::ESTIMATOR) == Some("one-point") {
        words.push("one-point estimate".to_owned());
    }
    match (
        config.whole(&Estimates::COUNT),
        config.text(&Estimates::SCHEDULE),
    ) {
        (None | Some(1), _) => {}
        (Some(count), Some("linear")) => words.push(format!("up to {count} estimates")),
        (Some(count), _) => words.push(format!("{count} estimates")),
    }
    if let Some(by) = config.text(&Scale::BY) {
        let by = by.replace('-', " ");
        let modifies = config.text(&Scale::MODIFIES).unwrap_or("variance");
        words.push(format!("{modifies} scaled by {by}"));
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(method: Value, train: Value, prompt: bool) -> String {
        let task = json!({"name": "sst-2", "k": 16, "prompt": prompt});
        let config = json!({"model": {"hub": "roberta-large"}, "task": task, "method": method, "train": train});
        of_values(&Values::of_json(&config))
    }

    #[test]
    fn methods_are_called_as_in_table_18() {
        let label = |method: &str, tuning: &str, optimizer: &str| {
            let train = json!({"seed": 13, "optimizer": optimizer});
            of(json!({"name": method, "tuning": tuning}), train, true)
        };
        assert_eq!(label("mezo", "full", "sgd"), "MeZO");
        assert_eq!(label("mezo", "lora", "sgd"), "MeZO (LoRA)");
        assert_eq!(label("mezo", "prefix", "sgd"), "MeZO (prefix)");
        assert_eq!(label("mezo", "full", "adam"), "MeZO-Adam");
        assert_eq!(label("mezo", "lora", "adam"), "MeZO-Adam (LoRA)");
        assert_eq!(label("mezo", "head", "sgd"), "MeZO (head)");
        assert_eq!(label("mezo", "bias", "sgd"), "MeZO (bias)");
        assert_eq!(label("ft", "full", "adam"), "FT");
        assert_eq!(label("ft", "full", "sgd"), "FT (SGD)");
        assert_eq!(label("ft", "lora", "adam"), "FT (LoRA)");
        assert_eq!(label("ft", "prefix", "adam"), "FT (prefix)");
        assert_eq!(label("ft", "prefix", "sgd"), "FT (prefix SGD)");
    }

    #[test]
    fn what_a_manifest_leaves_out_is_as_usual() {
        let seed = || json!({"seed": 13});
        assert_eq!(
            of(json!({"name": "ft", "tuning": "full"}), seed(), true),
            "FT"
        );
        assert_eq!(of(json!({"name": "mezo"}), seed(), true), "MeZO");
        assert_eq!(of(json!({"name": "lp"}), seed(), true), "LP");
        assert_eq!(of(json!({"name": "lp-mezo"}), seed(), true), "LP-MeZO");
        assert_eq!(
            of(json!({"name": "zero-shot"}), Value::Null, true),
            "zero-shot"
        );
    }

    #[test]
    fn what_is_not_as_usual_is_said() {
        let method = json!({
            "name": "mezo", "tuning": "lora", "objective": "accuracy",
            "estimates": {"count": 4, "schedule": "constant"}, "scale": {"by": "parameter-norm"},
        });
        let train = json!({"seed": 13, "momentum": 0.9});
        assert_eq!(
            of(method, train, false),
            "MeZO (LoRA), no prompt, accuracy objective, momentum 0.9, 4 estimates, variance scaled by parameter norm"
        );
        let method = json!({"name": "mezo", "estimates": {"count": 16, "schedule": "linear"}});
        assert_eq!(
            of(method, json!({"seed": 1}), true),
            "MeZO, up to 16 estimates"
        );
        let method =
            json!({"name": "mezo", "objective": "cross-entropy", "estimates": {"count": 1}});
        assert_eq!(of(method, json!({"seed": 1}), true), "MeZO");
    }

    #[test]
    fn variants_stand_beside_their_method() {
        assert!(rank("LP") < rank("MeZO"));
        assert_eq!(rank("MeZO, 4 estimates"), rank("MeZO"));
        assert_eq!(rank("something new"), ORDER.len());
    }
}
