//! From a spec's point to a manifest: every file it names is read and checked before any work starts, and no model is built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mezo_run::{Inputs, RunPlan};
use mezo_spec::{
    DeviceKind, MethodName, ModelSource, Objective, Precision, Protocol, RunConfig, RunSpec, Swept,
    TaskConfig, Trained, Tuning,
};
use mezo_tasks::{Examples, Folds, Shared, Task, Tokenizer};
use mezo_weights::{Checkpoint, Config, ModelFiles};

use super::error::{ResolveError, rule, value};
use super::sizes::{Part, Sizes};

/// What has been read of a model.
struct KnownModel {
    weights_sha256: String,
    tokenizer: Rc<Tokenizer>,
    config: Config,
    /// Whether the weights bring a decoder that is not the word table.
    own_decoder: bool,
}

impl KnownModel {
    /// How many scalars a run trains, under the reference's rules with those that nothing reads.
    fn trainable(&self, config: &RunConfig, classes: usize) -> usize {
        if config.method.name() == MethodName::Lp {
            return classes * (self.config.hidden_size() + 1);
        }
        let Some(trained) = Trained::of(config, classes, self.own_decoder) else {
            return 0;
        };
        let unread = match (config.protocol, config.task.prompt) {
            (Protocol::ReferenceCode, true) => self.config.unread_scalars(&trained, classes),
            _ => 0,
        };
        self.config.trained_scalars(&trained) + unread
    }
}

/// What has been read of a split.
#[derive(Clone)]
struct KnownData {
    sha256: String,
    test_sha256: String,
    source_sha256: String,
    sizes: Sizes,
    /// Train rows of each class.
    counts: Vec<usize>,
}

/// Turns points into manifests, reading each model and each split once.
pub struct Resolver {
    sweep: String,
    /// The folder that relative paths of the spec start at.
    base: PathBuf,
    device: DeviceKind,
    models: BTreeMap<String, KnownModel>,
    data: BTreeMap<String, KnownData>,
    notes: BTreeSet<String>,
    /// What the splits of several seeds share.
    shared: Shared,
}

impl Resolver {
    /// A resolver for the sweep of this name, whose runs go to a kind of device; relative paths start at `base`.
    pub fn new(sweep: &str, base: &Path, device: DeviceKind) -> Self {
        Self {
            sweep: sweep.into(),
            base: base.into(),
            device,
            models: BTreeMap::new(),
            data: BTreeMap::new(),
            notes: BTreeSet::new(),
            shared: Shared::default(),
        }
    }

    /// The plan of one point's run. Paths in it are as [`RunSpec`] has them: relative to the base.
    ///
    /// # Errors
    /// If a value cannot be, or the model, the data or the prompt do not stand every check.
    pub fn resolve(&mut self, spec: &RunSpec, swept: Vec<Swept>) -> Result<RunPlan, ResolveError> {
        let config = self.config(spec)?;
        self.plan(config, swept)
    }

    /// What a user should hear of the data before a run starts, each thing once.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    /// The zero-shot run that stands beside a point: the same model and task, nothing trained, no seed. There is none
    /// without a prompt: a random head knows nothing.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn zero_shot(&mut self, plan: &RunPlan) -> Result<Option<RunPlan>, ResolveError> {
        if !plan.config.task.prompt {
            return Ok(None);
        }
        self.plan(plan.config.zero_shot(), Vec::new()).map(Some)
    }

    fn plan(&mut self, config: RunConfig, swept: Vec<Swept>) -> Result<RunPlan, ResolveError> {
        self.know_data(&config)?;
        let data = self.data[&data_key(&config)].clone();
        check_classes(&config, &data.counts)?;
        let task = Task::by_name(&config.task.name)?;
        // Only what is drawn by a seed is trained on.
        let trained = config.method.seed().is_some();
        let model = self.known_model(&config.model)?;
        let rows = |rows: usize| if trained { rows as u64 } else { 0 };
        let inputs = Inputs {
            weights_sha256: model.weights_sha256.clone(),
            model_config: model.config.values(),
            tokenizer_sha256: model.tokenizer.sha256().into(),
            data_sha256: data.sha256,
            source_sha256: data.source_sha256,
            test_sha256: data.test_sha256,
            trainable_parameters: model.trainable(&config, task.labels().len()) as u64,
            train_examples: rows(data.sizes.train.rows),
            dev_examples: rows(data.sizes.dev.rows),
            test_examples: data.sizes.test.rows as u64,
            synthetic: task.made(),
        };
        let versions = BTreeMap::from([
            ("burn".into(), "0.22.1".into()),
            ("mezo".into(), env!("CARGO_PKG_VERSION").into()),
        ]);
        Ok(RunPlan::new(&self.sweep, config, swept, inputs, versions))
    }

    /// How much data a run has whose plan came from here.
    pub fn sizes(&self, config: &RunConfig) -> Option<Sizes> {
        let known = self.data.get(&data_key(config))?;
        Some(known.sizes)
    }

    /// Fills in every default.
    fn config(&mut self, spec: &RunSpec) -> Result<RunConfig, ResolveError> {
        // What the spec itself has wrong is said even where there is no model to hold it against.
        task_config(spec, usize::MAX)?;
        let model = mezo_weights::source(&spec.model)?
            .ok_or_else(|| value("model", "[model] names no model".into()))?;
        let sizes = &self.known_model(&model)?.config;
        let (longest, hidden) = (sizes.max_tokens(), sizes.hidden_size());
        check_sizes(spec.method.tuning(), hidden, longest)?;
        Ok(RunConfig {
            protocol: spec.protocol,
            precision: Precision::in_effect(spec.model.precision, self.device),
            model,
            task: task_config(spec, longest)?,
            method: spec.method.clone(),
        })
    }

    fn known_model(&mut self, model: &ModelSource) -> Result<&mut KnownModel, ResolveError> {
        let key = format!("{model:?}");
        if !self.models.contains_key(&key) {
            let files = ModelFiles::of(model, &self.base)?;
            let known = read_model(&files)?;
            self.models.insert(key.clone(), known);
        }
        // Inserted just above where it was not there.
        self.models
            .get_mut(&key)
            .ok_or_else(|| value("model", "the model cannot be read".into()))
    }

    /// Reads, draws and tokenises the configured split, once.
    fn know_data(&mut self, config: &RunConfig) -> Result<(), ResolveError> {
        let key = data_key(config);
        if self.data.contains_key(&key) {
            return Ok(());
        }
        let base = self.base.clone();
        let tokenizer = Rc::clone(&self.known_model(&config.model)?.tokenizer);
        let seed = config.method.seed();
        let examples = Examples::read(&config.task, seed, &tokenizer, &base, &mut self.shared)?;
        let known = KnownData {
            sha256: examples.sha256.clone(),
            test_sha256: examples.test_sha256.clone(),
            source_sha256: examples.source_sha256.clone(),
            sizes: Sizes {
                train: Part::of(&examples.train),
                dev: Part::of(&examples.dev),
                test: Part::of(&examples.test),
            },
            counts: examples.train_counts(),
        };
        self.notes.extend(examples.test_missing);
        self.data.insert(key, known);
        Ok(())
    }
}

/// An F1 score compares classes, and cross-validation sets some of each aside.
fn check_classes(config: &RunConfig, counts: &[usize]) -> Result<(), ResolveError> {
    if matches!(config.method.name(), MethodName::Lp | MethodName::LpMezo) {
        Folds::check(counts).map_err(|error| {
            rule(
                "task.k",
                format!("linear probing: {error}"),
                "give more examples a class",
            )
        })?;
    }
    let classes = counts.iter().filter(|&&count| count > 0).count();
    let objective = config.method.mezo().map(|mezo| mezo.objective);
    if objective != Some(Objective::F1) || classes > 1 {
        return Ok(());
    }
    Err(rule(
        "method.objective",
        "every train row has the same label: a macro-averaged F1 needs at least two classes".into(),
        "set `objective = \"cross-entropy\"`, or give data of more classes",
    ))
}

/// What decides a split and its tokens.
fn data_key(config: &RunConfig) -> String {
    let seed = config.method.seed();
    format!("{:?} {:?} {seed:?}", config.model, config.task)
}

/// Reads every file of a model and holds it against the others.
fn read_model(files: &ModelFiles) -> Result<KnownModel, ResolveError> {
    let checkpoint = Checkpoint::open(files)?;
    let weights_sha256 = checkpoint.check()?;
    let tokenizer = Rc::new(Tokenizer::of(files)?);
    let (words, known) = (checkpoint.config.vocabulary(), tokenizer.vocab_size());
    if known > words {
        return Err(rule(
            "model",
            format!(
                "the tokenizer has ids up to {}, the model only {words} words",
                known - 1
            ),
            "tokenizer and weights must come from the same model",
        ));
    }
    Ok(KnownModel {
        weights_sha256,
        tokenizer,
        own_decoder: checkpoint.has_own_decoder(),
        config: checkpoint.config,
    })
}

/// Holds what is put beside the model against its sizes.
///
/// # Errors
/// If LoRA's rank or the prefix does not fit.
fn check_sizes(
    tuning: Option<&Tuning>,
    hidden: usize,
    positions: usize,
) -> Result<(), ResolveError> {
    match tuning {
        Some(Tuning::Lora(lora)) if lora.r > hidden => {
            let message = format!(
                "expected at most {hidden} for `method.lora.r` (the model's hidden size), found {}",
                lora.r
            );
            Err(value("method.lora.r", message))
        }
        Some(Tuning::Prefix(prefix)) if prefix.tokens > positions => Err(rule(
            "method.prefix.tokens",
            format!(
                "a prefix of {} tokens is longer than the {positions} positions that the model has left for one sentence, \
                 and its first values are those of a sentence",
                prefix.tokens
            ),
            "set `tokens` in [method.prefix] to less; the paper has 5",
        )),
        _ => Ok(()),
    }
}

/// The task with every default filled in.
fn task_config(spec: &RunSpec, longest: usize) -> Result<TaskConfig, ResolveError> {
    let mut task = Task::by_name(&spec.task.name)?;
    task = task.with_cut(spec.task.cut);
    if !spec.task.prompt {
        task = task.without_prompt();
    }
    if let Some(template) = &spec.task.template {
        task = task.with_template(template)?;
    }
    if let Some(words) = &spec.task.label_words {
        task = task.with_label_words(words)?;
    }
    let max_length = spec.task.max_length.unwrap_or(task.max_length());
    if max_length > longest {
        return Err(ResolveError::Value {
            key: "task.max_length",
            message: format!(
                "expected at most {longest} for `task.max_length` (the model has no more positions), found {max_length}"
            ),
            hint: Some(format!("set `max_length = {longest}` in [task]")),
        });
    }
    if spec.task.data.is_none() && !task.made() {
        return Err(ResolveError::Value {
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
        prompt: spec.task.prompt,
        template: task
            .template()
            .map_or("", |template| template.as_str())
            .into(),
        label_words: task.label_words(),
        max_length,
        cut: spec.task.cut,
    })
}
