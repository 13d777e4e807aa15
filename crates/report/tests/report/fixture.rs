//! Run directories as a sweep would leave them, with numbers we know.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A small seeded generator (SplitMix64 with Box and Muller's transform).
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Test and dev scores at one step.
#[derive(Clone, Copy)]
pub struct Score {
    pub step: u64,
    pub dev: f64,
    pub test: f64,
    pub cross_entropy: f64,
}

impl Score {
    fn json(self) -> Value {
        json!({
            "step": self.step, "dev_accuracy": self.dev, "dev_cross_entropy": self.cross_entropy + 0.01,
            "test_accuracy": self.test, "test_cross_entropy": self.cross_entropy,
        })
    }
}

/// One trained run.
#[derive(Clone)]
pub struct Run {
    pub seed: u64,
    pub lr: &'static str,
    pub eps: &'static str,
    pub method: &'static str,
    pub tuning: &'static str,
    pub model: &'static str,
    pub task: &'static str,
    pub template: &'static str,
    pub label_words: &'static [&'static str],
    pub weights: &'static str,
    pub test_data: &'static str,
    /// The hash of the run's own split.
    pub split: &'static str,
    pub data: Option<&'static str>,
    pub weight_decay: f64,
    pub steps: u64,
    pub eval_every: u64,
    pub batch_size: u64,
    pub k: u64,
    pub protocol: &'static str,
    /// More keys of `[method]` and `[train]`; a null takes one away.
    pub more: Value,
    pub test_examples: u64,
    pub made_data: bool,
    pub losses: Vec<f64>,
    pub best: Option<Score>,
    pub last: Option<Score>,
    pub status: &'static str,
}

impl Run {
    pub fn new(seed: u64, lr: &'static str, eps: &'static str, losses: Vec<f64>) -> Self {
        Self {
            seed,
            lr,
            eps,
            method: "mezo",
            tuning: "lora",
            model: "roberta-imdb-tiny",
            task: "made-sentiment",
            template: "*cls**sent_0*_It_was*mask*.*sep+*",
            label_words: &["terrible", "great"],
            weights: "aa",
            test_data: "dd",
            split: "cc",
            data: None,
            weight_decay: 0.0,
            steps: losses.len() as u64,
            eval_every: 250,
            batch_size: 64,
            k: 512,
            protocol: "paper",
            more: json!({}),
            test_examples: 872,
            made_data: true,
            losses,
            best: None,
            last: None,
            status: "finished",
        }
    }

    pub fn scored(mut self, best: Score, last: Score) -> Self {
        (self.best, self.last) = (Some(best), Some(last));
        self
    }

    /// An id as good as a hash: it differs where the run does.
    pub fn id(&self) -> String {
        let text = format!(
            "{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}",
            self.method,
            self.steps,
            self.eval_every,
            self.weight_decay,
            self.k,
            self.batch_size,
            self.protocol,
            self.more,
            self.seed,
            self.lr,
            self.eps,
            self.tuning,
            self.task,
            self.template,
            self.weights,
            self.test_data,
            self.data.unwrap_or_default(),
            self.split.trim_start_matches("cc")
        );
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        format!("{hash:016x}")
    }

    fn manifest(&self) -> Value {
        let number = |text: &str| text.parse::<f64>().unwrap();
        let mut method = json!({"name": self.method, "tuning": self.tuning});
        if self.tuning == "lora" {
            method["lora"] = json!({"r": 8, "alpha": 16.0});
        }
        let mut train = json!({
            "seed": self.seed, "steps": self.steps, "batch_size": self.batch_size,
            "eval_every": self.eval_every, "lr": number(self.lr), "weight_decay": self.weight_decay,
        });
        if !self.eps.is_empty() {
            train["eps"] = json!(number(self.eps));
        }
        merge(&mut method, &self.more["method"]);
        merge(&mut train, &self.more["train"]);
        let mut swept = vec![json!({"key": "train.seed", "text": self.seed.to_string()})];
        for (key, text) in [("train.lr", self.lr), ("train.eps", self.eps)] {
            if !text.is_empty() {
                swept.push(json!({"key": key, "text": text}));
            }
        }
        json!({
            "schema": 1, "id": self.id(), "sweep": "fixture",
            "config": {
                "model": model(self.model), "task": self.task_config(), "method": method,
                "train": train,
            },
            "swept": swept,
            "weights_sha256": self.weights, "tokenizer_sha256": "bb", "data_sha256": self.split,
            "test_sha256": self.test_data,
            "trainable_parameters": 12345, "train_examples": 1024, "dev_examples": 1024,
            "test_examples": self.test_examples, "made_data": self.made_data, "protocol": self.protocol, "precision": "f32",
            "algorithm": 1, "versions": {"mezo": "0.1.0", "burn": "0.22.1"},
        })
    }

    fn task_config(&self) -> Value {
        let words = self.label_words.iter().enumerate();
        let words: serde_json::Map<String, Value> = words
            .map(|(label, word)| (label.to_string(), json!(word)))
            .collect();
        json!({
            "name": self.task, "data": self.data, "k": self.k, "test_cap": 1000, "template": self.template,
            "label_words": words, "max_length": 128,
        })
    }

    /// Writes all its files and returns its directory.
    pub fn write(&self, runs_dir: &Path) -> PathBuf {
        let dir = runs_dir.join(self.id());
        fs::create_dir_all(&dir).unwrap();
        write_json(&dir.join("manifest.json"), &self.manifest());
        fs::write(dir.join("steps.jsonl"), self.steps_lines()).unwrap();
        fs::write(dir.join("evals.jsonl"), self.evals_lines()).unwrap();
        let start = json!({"event": "start", "attempt": 1, "time": "2026-11-22T17:00:00Z", "host": "here",
            "device": "cpu", "threads": 1, "argv": ["mezo"]});
        let end = json!({"event": "end", "attempt": 1, "time": "2026-11-22T17:00:12Z", "wall_s": 12.5,
            "reason": self.status, "steps": self.steps, "error": null});
        fs::write(dir.join("attempts.jsonl"), format!("{start}\n{end}\n")).unwrap();
        let mut result = json!({
            "id": self.id(), "status": self.status, "steps": self.losses.len(),
            "best": self.best.map(Score::json), "last": self.last.map(Score::json),
        });
        if self.test_examples == 0 {
            for (place, metric) in [
                ("best", "test_accuracy"),
                ("best", "test_cross_entropy"),
                ("last", "test_accuracy"),
                ("last", "test_cross_entropy"),
            ] {
                result[place][metric] = Value::Null;
            }
        }
        write_json(&dir.join("result.json"), &result);
        dir
    }

    fn steps_lines(&self) -> String {
        let mut text = String::new();
        for (place, loss) in self.losses.iter().enumerate() {
            if self.method == "ft" {
                let line = json!({"step": place + 1, "lr": 1e-5, "estimates": [], "loss": loss});
                text.push_str(&format!("{line}\n"));
                continue;
            }
            let line = json!({
                "step": place + 1, "lr": self.lr.parse::<f64>().unwrap(),
                "estimates": [{"seed": place as u64 * 7919 + 1, "loss_plus": loss + 0.001,
                    "loss_minus": loss - 0.001, "projected_grad": 1.0}],
            });
            text.push_str(&format!("{line}\n"));
        }
        if self.status == "diverged" {
            let line = json!({
                "step": self.losses.len() + 1, "lr": self.lr.parse::<f64>().unwrap(), "status": "diverged",
                "estimates": [{"seed": 1, "loss_plus": null, "loss_minus": null, "projected_grad": null}],
            });
            text.push_str(&format!("{line}\n"));
        }
        text
    }

    fn evals_lines(&self) -> String {
        let mut text = String::new();
        for place in (0..self.losses.len()).filter(|place| (place + 1) % 250 == 0) {
            let near = &self.losses[place.saturating_sub(50)..=place];
            let mean = near.iter().sum::<f64>() / near.len() as f64;
            for (metric, value) in [("accuracy", 0.7), ("cross_entropy", mean + 0.01)] {
                let line = json!({"step": place + 1, "split": "dev", "metric": metric, "value": value, "n": 1024});
                text.push_str(&format!("{line}\n"));
            }
        }
        text
    }
}

/// Puts the keys of one object over another's.
fn merge(into: &mut Value, keys: &Value) {
    for (key, value) in keys.as_object().into_iter().flatten() {
        match value {
            Value::Null => _ = into.as_object_mut().unwrap().remove(key),
            value => into[key] = value.clone(),
        }
    }
}

fn model(name: &str) -> Value {
    match name {
        "roberta-imdb-tiny" => json!({"builtin": name}),
        _ => json!({"path": format!("/models/{name}")}),
    }
}

/// The zero-shot run that stands beside a run.
pub fn write_zero_shot(
    runs_dir: &Path,
    beside: &Run,
    accuracy: f64,
    cross_entropy: f64,
) -> PathBuf {
    let beside = Run {
        tuning: "zero-shot",
        ..beside.clone()
    };
    let id = beside.id();
    let dir = runs_dir.join(&id);
    fs::create_dir_all(&dir).unwrap();
    let mut manifest = beside.manifest();
    manifest["id"] = json!(id);
    manifest["config"]["method"] = json!({"name": "zero-shot"});
    manifest["config"]["train"] = Value::Null;
    manifest["swept"] = json!([]);
    write_json(&dir.join("manifest.json"), &manifest);
    let scores = json!({"step": 0, "dev_accuracy": null, "dev_cross_entropy": null,
        "test_accuracy": accuracy, "test_cross_entropy": cross_entropy});
    let result =
        json!({"id": id, "status": "finished", "steps": 0, "best": scores, "last": scores});
    write_json(&dir.join("result.json"), &result);
    dir
}

fn write_json(path: &Path, value: &Value) {
    fs::write(path, format!("{value:#}\n")).unwrap();
}

/// A loss that falls from 0.69 towards `floor` with a time constant, under minibatch noise.
pub fn falling(seed: u64, steps: usize, floor: f64, constant: f64) -> Vec<f64> {
    let mut noise = Noise::new(seed);
    (0..steps)
        .map(|t| floor + (0.69 - floor) * (-(t as f64) / constant).exp() + 0.03 * noise.normal())
        .collect()
}

/// Two seeds, two learning rates, two epsilons and zero-shot, on made data.
pub fn quickstart(runs_dir: &Path) -> Vec<Run> {
    let mut runs = Vec::new();
    for (place, seed) in [13, 21].into_iter().enumerate() {
        for (lr, floor) in [("1e-4", 0.62_f64), ("3e-4", 0.45)] {
            for (eps, shift) in [("1e-3", 0.0), ("3e-3", 0.01)] {
                let losses = falling(runs.len() as u64, 1000, floor + shift, 600.0);
                let gained = (0.69 - floor) + 0.02 * place as f64 - shift;
                let best = Score {
                    step: 750,
                    dev: 0.6 + gained,
                    test: 0.59 + gained,
                    cross_entropy: 0.69 - gained,
                };
                let last = Score {
                    step: 1000,
                    dev: 0.59 + gained,
                    test: 0.58 + gained,
                    cross_entropy: 0.70 - gained,
                };
                runs.push(Run::new(seed, lr, eps, losses).scored(best, last));
            }
        }
    }
    for run in &runs {
        run.write(runs_dir);
    }
    write_zero_shot(runs_dir, &runs[0], 0.6, 0.68);
    runs
}
