//! From a spec's point to a manifest: every file it names is read and checked before any work starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use mezo_model::{ModelFiles, RobertaConfig, load};
use mezo_tasks::{Task, Tokenizer};

use crate::error::TrainError;
use crate::manifest::{
    ALGORITHM, Config, Manifest, MethodConfig, ModelConfig, SweptText, TaskConfig,
};
use crate::materials;
use crate::spec::{LoraSpec, MethodName, RunSpec, TuningName, value};

/// The paper's LoRA (section E.3).
const LORA: LoraSpec = LoraSpec { r: 8, alpha: 16.0 };

/// What has been read of a model.
struct KnownModel {
    weights_sha256: String,
    tokenizer: Tokenizer,
    config: RobertaConfig,
    /// All its scalars.
    scalars: usize,
}

impl KnownModel {
    /// How many scalars a method trains.
    fn trainable(&self, method: &MethodConfig) -> usize {
        match (method.tuning, method.lora) {
            (None, _) => 0,
            (Some(TuningName::Lora), Some(lora)) => self.config.lora_scalars(lora.r),
            (Some(_), _) => self.scalars,
        }
    }
}

/// What has been read of a split.
#[derive(Clone)]
struct KnownData {
    sha256: String,
    test_sha256: String,
    train: usize,
    dev: usize,
    test: usize,
}

/// Turns points into manifests, reading each model and each split once.
pub struct Resolver {
    sweep: String,
    /// The folder that relative paths of the spec start at.
    base: PathBuf,
    models: BTreeMap<String, KnownModel>,
    data: BTreeMap<String, KnownData>,
}

impl Resolver {
    /// A resolver for the sweep of this name; relative paths start at `base`.
    pub fn new(sweep: &str, base: &Path) -> Self {
        Self {
            sweep: sweep.into(),
            base: base.into(),
            models: BTreeMap::new(),
            data: BTreeMap::new(),
        }
    }

    /// The manifest of one point. Paths in it are as [`RunSpec`] has them: relative to the base.
    ///
    /// # Errors
    /// If a value cannot be, or the model, the data or the prompt do not stand every check.
    pub fn resolve(
        &mut self,
        spec: &RunSpec,
        swept: Vec<SweptText>,
    ) -> Result<Manifest, TrainError> {
        spec.check()?;
        let config = self.config(spec)?;
        self.manifest(config, swept)
    }

    /// The zero-shot run that stands beside a point: the same model and task, nothing trained, no seed.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn zero_shot(&mut self, manifest: &Manifest) -> Result<Manifest, TrainError> {
        let mut config = manifest.config.clone();
        config.method = MethodConfig {
            name: MethodName::ZeroShot,
            tuning: None,
            lora: None,
        };
        config.train = None;
        self.manifest(config, Vec::new())
    }

    fn manifest(&mut self, config: Config, swept: Vec<SweptText>) -> Result<Manifest, TrainError> {
        self.know_data(&config)?;
        let data = self.data[&data_key(&config)].clone();
        let trained = config.train.is_some();
        let sweep = self.sweep.clone();
        let model = self.known_model(&config.model)?;
        let mut manifest = Manifest {
            schema: 1,
            id: String::new(),
            sweep,
            swept,
            weights_sha256: model.weights_sha256.clone(),
            tokenizer_sha256: model.tokenizer.sha256().into(),
            data_sha256: data.sha256,
            test_sha256: data.test_sha256,
            trainable_parameters: model.trainable(&config.method),
            train_examples: if trained { data.train } else { 0 },
            dev_examples: if trained { data.dev } else { 0 },
            test_examples: data.test,
            made_data: Task::by_name(&config.task.name)?.made(),
            protocol: "paper".into(),
            precision: "f32".into(),
            algorithm: ALGORITHM,
            versions: BTreeMap::from([
                ("burn".into(), "0.22.1".into()),
                ("mezo".into(), env!("CARGO_PKG_VERSION").into()),
            ]),
            config,
        };
        manifest.id = manifest.identity();
        Ok(manifest)
    }

    /// Fills in every default.
    fn config(&mut self, spec: &RunSpec) -> Result<Config, TrainError> {
        let model = match (&spec.model.builtin, &spec.model.path) {
            (Some(name), _) => ModelConfig::Builtin(name.clone()),
            (None, Some(path)) => ModelConfig::Path(path.clone()),
            (None, None) => return Err(value("model", "[model] names no model".into())),
        };
        let sizes = &self.known_model(&model)?.config;
        let (longest, widest) = (sizes.max_tokens(), sizes.hidden_size);
        if let Some(lora) = spec.method.lora.filter(|lora| lora.r > widest) {
            let message = format!(
                "expected at most {widest} for `method.lora.r` (the model's hidden size), found {}",
                lora.r
            );
            return Err(value("method.lora.r", message));
        }
        let task = task_config(spec, longest)?;
        let tuning = spec.method.tuning;
        let (method, train) = match spec.method.name {
            MethodName::ZeroShot => (
                MethodConfig {
                    name: MethodName::ZeroShot,
                    tuning: None,
                    lora: None,
                },
                None,
            ),
            MethodName::Mezo => {
                let lora = (tuning == TuningName::Lora).then(|| spec.method.lora.unwrap_or(LORA));
                (
                    MethodConfig {
                        name: MethodName::Mezo,
                        tuning: Some(tuning),
                        lora,
                    },
                    Some(spec.train),
                )
            }
        };
        Ok(Config {
            model,
            task,
            method,
            train,
        })
    }

    fn known_model(&mut self, model: &ModelConfig) -> Result<&mut KnownModel, TrainError> {
        let key = format!("{model:?}");
        if !self.models.contains_key(&key) {
            let files = materials::model_files(model, &self.base)?;
            let known = read_model(&files)?;
            self.models.insert(key.clone(), known);
        }
        // Inserted just above where it was not there.
        self.models
            .get_mut(&key)
            .ok_or_else(|| value("model", "the model cannot be read".into()))
    }

    /// Reads, draws and tokenises the configured split, once.
    fn know_data(&mut self, config: &Config) -> Result<(), TrainError> {
        let key = data_key(config);
        if self.data.contains_key(&key) {
            return Ok(());
        }
        let base = self.base.clone();
        let tokenizer = &self.known_model(&config.model)?.tokenizer;
        let examples = materials::examples(config, tokenizer, &base)?;
        let known = KnownData {
            sha256: examples.sha256,
            test_sha256: examples.test_sha256,
            train: examples.train.len(),
            dev: examples.dev.len(),
            test: examples.test.len(),
        };
        self.data.insert(key, known);
        Ok(())
    }
}

/// What decides a split and its tokens.
fn data_key(config: &Config) -> String {
    let seed = config.train.map(|train| train.seed);
    format!("{:?} {:?} {seed:?}", config.model, config.task)
}

fn read_model(files: &ModelFiles) -> Result<KnownModel, TrainError> {
    let loaded = load(files, &Device::flex())?;
    let tokenizer = materials::tokenizer(files)?;
    let (words, known) = (loaded.config.vocab_size, tokenizer.vocab_size());
    if known > words {
        return Err(TrainError::Value {
            key: "model",
            message: format!(
                "the tokenizer has ids up to {}, the model only {words} words",
                known - 1
            ),
            hint: Some("tokenizer and weights must come from the same model".into()),
        });
    }
    Ok(KnownModel {
        weights_sha256: loaded.sha256,
        tokenizer,
        config: loaded.config,
        scalars: loaded.model.num_params(),
    })
}

/// The task with every default filled in.
fn task_config(spec: &RunSpec, longest: usize) -> Result<TaskConfig, TrainError> {
    let mut task = Task::by_name(&spec.task.name)?;
    if let Some(template) = &spec.task.template {
        task = task.with_template(template)?;
    }
    if let Some(words) = &spec.task.label_words {
        task = task.with_label_words(words)?;
    }
    let max_length = spec.task.max_length.unwrap_or(task.max_length());
    if max_length > longest {
        return Err(TrainError::Value {
            key: "task.max_length",
            message: format!(
                "expected at most {longest} for `task.max_length` (the model has no more positions), found {max_length}"
            ),
            hint: Some(format!("set `max_length = {longest}` in [task]")),
        });
    }
    if spec.task.data.is_none() && !task.made() {
        return Err(TrainError::Value {
            key: "task",
            message: format!(
                "expected `data` in [task], the folder that holds {}/, found none",
                task.folder()
            ),
            hint: Some("add `data = \"<folder>\"` to [task], or give `--data DIR`".into()),
        });
    }
    Ok(TaskConfig {
        name: task.name().into(),
        data: spec.task.data.clone().filter(|_| !task.made()),
        k: spec.task.k,
        test_cap: spec.task.test_cap,
        template: task
            .template()
            .map_or("", |template| template.as_str())
            .into(),
        label_words: task.label_words(),
        max_length,
    })
}

impl Manifest {
    /// The same manifest with its relative paths, which start at `from`, made to start at the run directory `to`.
    pub fn with_paths_from(mut self, from: &Path, to: &Path) -> Self {
        if let ModelConfig::Path(path) = &mut self.config.model {
            *path = relocated(path, from, to);
        }
        if let Some(data) = &mut self.config.task.data {
            *data = relocated(data, from, to);
        }
        self
    }
}

/// A relative path that starts at `from`, as it reads from `to`. Absolute paths stay as they are.
///
/// Links are followed on both sides first: a `..` behind a link leads elsewhere than its name says.
fn relocated(path: &Path, from: &Path, to: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.into();
    }
    let (target, start) = (physical(&from.join(path)), physical(to));
    let shared = target
        .components()
        .zip(start.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = start
        .components()
        .skip(shared)
        .map(|_| std::path::Component::ParentDir);
    up.chain(target.components().skip(shared)).collect()
}

/// The absolute path without links, as far as it exists; the rest by its names.
fn physical(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut rest = Vec::new();
    let mut known = absolute.as_path();
    loop {
        if let Ok(found) = known.canonicalize() {
            return rest.iter().rev().fold(found, |path, part| path.join(part));
        }
        match (known.parent(), known.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                known = parent;
            }
            _ => return absolute,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_from_the_run_directory() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for dir in ["a/experiments", "data", "scratch/deep/runs"] {
            std::fs::create_dir_all(at(dir)).unwrap();
        }
        let from = at("a/experiments");
        let reads = |path: &str, to: &Path| relocated(Path::new(path), &from, to);
        assert_eq!(
            reads("../../data", &at("a/runs/s/id")),
            Path::new("../../../../data")
        );
        assert_eq!(
            reads("m", &at("a/runs/s/id")),
            Path::new("../../../experiments/m")
        );
        assert_eq!(reads("/x/y", &at("a/runs/s/id")), Path::new("/x/y"));

        std::os::unix::fs::symlink(at("scratch/deep/runs"), at("a/runs")).unwrap();
        let run = at("a/runs/s/id");
        std::fs::create_dir_all(&run).unwrap();
        let data = run.join(reads("../../data", &run));
        assert_eq!(
            data.canonicalize().unwrap(),
            at("data").canonicalize().unwrap()
        );
    }
}
