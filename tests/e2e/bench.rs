//! What the measurements print. The times are this machine's own; what is held here is how they hang together.

use crate::common::{Place, text};
use serde_json::Value;

fn printed(words: &str) -> Value {
    let output = Place::new().exits(0, words);
    serde_json::from_str(&text(&output.stdout)).unwrap()
}

#[test]
fn phases_account_for_the_step() {
    for tuning in ["full", "lora"] {
        let times = printed(&format!(
            "bench step --shape builtin --tuning {tuning} --threads 1 --steps 2 --format json"
        ));
        assert_eq!(times["threads"], 1, "{times}");
        assert_eq!(times["steps"], 2, "{times}");
        let number = |of: &Value| of.as_f64().unwrap();
        let step = number(&times["step_s"]);
        let phases = times["phases"].as_object().unwrap();
        let sum: f64 = phases.values().map(number).sum();
        assert!(sum <= step && sum > 0.98 * step, "{times}");
        assert!(phases.values().all(|phase| number(phase) > 0.0), "{times}");
        let floor = number(&times["floor_s"]);
        assert!(
            floor > 0.0 && number(&times["naive_floor_s"]) >= floor,
            "{times}"
        );
        let needed = number(&times["multiply_adds"]);
        assert!(number(&times["naive_multiply_adds"]) > needed, "{times}");
    }
}

#[test]
fn a_bare_step_is_one_number() {
    let seconds = printed("bench bare-step --shape builtin --threads 1 --steps 1");
    assert!(seconds.as_f64().unwrap() > 0.0, "{seconds}");
}

#[test]
fn prompts_that_other_programs_can_read() {
    let prompts = printed("bench prompts --batch 64");
    let batches = prompts["batches"].as_array().unwrap();
    assert_eq!(batches.len(), 2);
    for sentence in batches.iter().flat_map(|batch| batch.as_array().unwrap()) {
        let ids = sentence["ids"].as_array().unwrap();
        let asked = sentence["asked"].as_u64().unwrap() as usize;
        assert_eq!(ids[asked], 50_264);
        assert!(sentence["label"].as_u64().unwrap() < 2);
    }
}
