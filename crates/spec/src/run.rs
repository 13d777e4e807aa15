//! What one run is: as a spec asks for it, and as it is resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::catalog;
use crate::reader::{Fault, FaultKind, Lookup, Part, Reader};
use crate::tables::method::unread;
use crate::tables::{
    Cut, METHOD_NAME, Method, MethodName, ModelSpec, PROTOCOL, Precision, Protocol, TUNING,
    TaskSpec,
};
use crate::value::Kind;
use crate::values::Values;

/// One run as a spec asks for it, before anything it names has been looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSpec {
    /// The rules that decide what is trained.
    pub protocol: Protocol,
    /// Which model.
    pub model: ModelSpec,
    /// Which data, and how they are put to the model.
    pub task: TaskSpec,
    /// What is done, with its defaults filled in.
    pub method: Method,
}

impl RunSpec {
    /// Reads the keys of one run and holds them against the rules.
    ///
    /// # Errors
    /// With everything that is wrong, each thing at its key.
    pub fn read(lookup: &dyn Lookup) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(lookup);
        let protocol = reader.value(&PROTOCOL);
        let model = ModelSpec::read(&mut reader);
        let task = TaskSpec::read(&mut reader);
        if let Some(model) = &model {
            model.check(&mut reader);
        }
        if let Some(task) = &task {
            task.check(&mut reader);
        }
        // A task that cannot be read may be one without a prompt.
        let prompt = reader.value(&TaskSpec::PROMPT).unwrap_or(false);
        let method = Method::read(&mut reader, protocol.unwrap_or(Protocol::Paper), prompt);
        check_unread(&mut reader);
        let faults = reader.into_faults();
        match (protocol, model, task, method) {
            (Some(protocol), Some(model), Some(task), Some(method)) if faults.is_empty() => {
                Ok(Self {
                    protocol,
                    model,
                    task,
                    method,
                })
            }
            _ => Err(faults),
        }
    }
}

/// Refuses keys that are set and that the method does not read. Of a table none of whose keys is read, the table.
fn check_unread(reader: &mut Reader<'_>) {
    let Some(method) = reader.method else {
        return;
    };
    let tuning = match reader.has_read(TUNING.path) {
        true => reader.value(&TUNING),
        false => None,
    };
    let reads = Method::keys_of(method);
    let mut told = Vec::new();
    for key in catalog::keys() {
        let of_method = key.path.starts_with("method.") || key.path.starts_with("train.");
        if !of_method || reader.has_read(key.path) {
            continue;
        }
        // Which of its tables a method reads is open where `tuning` itself is wrong.
        if tuning.is_none() && reads.iter().any(|known| known.path == key.path) {
            continue;
        }
        let (subject, set) = match key.table() {
            "method" | "train" => (key.path, reader.is_set(key)),
            table => (table, reader.has_table(table)),
        };
        if set && !told.contains(&subject) {
            told.push(subject);
            let (but, hint) = unread(key, method, tuning);
            reader.unread(subject, &but, hint);
        }
    }
}

/// A run's configuration with nothing left open.
#[derive(Debug, Clone, PartialEq)]
pub struct RunConfig {
    /// The rules that decide what is trained.
    pub protocol: Protocol,
    /// The format of the numbers that matrix products read.
    pub precision: Precision,
    /// Where the model is.
    pub model: ModelSource,
    /// The task as it is put to the model.
    pub task: TaskConfig,
    /// What is done.
    pub method: Method,
}

/// Where the model is. Its place is no part of a run's id, its weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// In the binary.
    Builtin(String),
    /// In a folder, relative to the run's own unless absolute.
    Path(PathBuf),
    /// In the hub's cache.
    Hub(HubModel),
}

impl ModelSource {
    /// Writes where the model is; of the hub's, with its commit.
    pub fn write(&self, values: &mut Values) {
        match self {
            Self::Builtin(name) => values.put(&ModelSpec::BUILTIN, name),
            Self::Path(path) => values.put(&ModelSpec::PATH, path),
            Self::Hub(model) => values.put(&ModelSpec::HUB, &String::from(model.clone())),
        }
    }

    /// Reads it back; none where the values name no model.
    pub fn read(values: &Values) -> Option<Self> {
        let hub = || {
            let text: String = values.typed(&ModelSpec::HUB)?;
            HubModel::try_from(text).ok().map(Self::Hub)
        };
        let path = || values.typed(&ModelSpec::PATH).map(Self::Path);
        let builtin = values.typed(&ModelSpec::BUILTIN).map(Self::Builtin);
        builtin.or_else(path).or_else(hub)
    }

    /// The short name: the built-in model's, or the last part of the path or of the repository's name.
    pub fn name(&self) -> &str {
        let place = match self {
            Self::Builtin(name) => name,
            Self::Path(path) => path.to_str().unwrap_or_default(),
            Self::Hub(model) => &model.repo,
        };
        let place = place.trim_end_matches('/');
        place.rsplit('/').next().unwrap_or(place)
    }
}

/// A commit of a repository on the hub, written `roberta-large@<commit>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    /// The repository.
    pub repo: String,
    /// The commit.
    pub commit: String,
}

impl From<HubModel> for String {
    fn from(model: HubModel) -> Self {
        format!("{}@{}", model.repo, model.commit)
    }
}

/// A text that names no commit of a repository.
#[derive(Debug, thiserror::Error)]
#[error("expected `<repository>@<commit>`, found `{0}`")]
pub struct NoCommit(String);

impl TryFrom<String> for HubModel {
    type Error = NoCommit;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once('@') {
            Some((repo, commit)) => Ok(Self {
                repo: repo.into(),
                commit: commit.into(),
            }),
            None => Err(NoCommit(text)),
        }
    }
}

/// The task as it is put to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskConfig {
    /// The task's name.
    pub name: String,
    /// The data folder, relative to the run's own unless absolute. Its place is no part of the id.
    pub data: Option<PathBuf>,
    /// Examples per class.
    pub k: usize,
    /// The most test examples.
    pub test_cap: usize,
    /// Whether there is a prompt.
    pub prompt: bool,
    /// The prompt; empty without one.
    pub template: String,
    /// Label to label word; empty without a prompt.
    pub label_words: BTreeMap<String, String>,
    /// The most tokens of an example.
    pub max_length: usize,
    /// What is cut of a longer one.
    pub cut: Cut,
}

impl TaskConfig {
    fn write(&self, values: &mut Values) {
        let spec = TaskSpec {
            name: self.name.clone(),
            data: self.data.clone(),
            k: self.k,
            test_cap: self.test_cap,
            prompt: self.prompt,
            template: Some(self.template.clone()),
            label_words: Some(self.label_words.clone()),
            max_length: Some(self.max_length),
            cut: self.cut,
        };
        spec.write(values);
    }

    fn read(values: &Values) -> Result<Self, ConfigError> {
        let wrong = || ConfigError::Key("task".into());
        let mut reader = Reader::new(values);
        let spec = TaskSpec::read(&mut reader).ok_or_else(wrong)?;
        Ok(Self {
            name: spec.name,
            data: spec.data,
            k: spec.k,
            test_cap: spec.test_cap,
            prompt: spec.prompt,
            template: spec.template.ok_or_else(wrong)?,
            label_words: spec.label_words.ok_or_else(wrong)?,
            max_length: spec.max_length.ok_or_else(wrong)?,
            cut: spec.cut,
        })
    }
}

/// A configuration that this program cannot read: of a later version, or changed by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A key is missing, or has a value that this program does not know.
    #[error("`{0}` is missing, or not of this version")]
    Key(String),
}

impl RunConfig {
    /// The configuration's values by their keys, protocol, precision and model aside.
    pub fn values(&self) -> Values {
        let mut values = Values::default();
        self.task.write(&mut values);
        self.method.write(&mut values);
        values
    }

    /// Reads a configuration back.
    ///
    /// # Errors
    /// If a key is missing or unknown to this program.
    pub fn of_values(
        protocol: Protocol,
        precision: Precision,
        model: ModelSource,
        values: &Values,
    ) -> Result<Self, ConfigError> {
        let task = TaskConfig::read(values)?;
        let mut reader = Reader::new(values);
        let method = Method::read(&mut reader, protocol, task.prompt);
        let faults = reader.into_faults();
        // Rules were held when the run was planned; here a key that cannot be read is all that counts.
        let broken = |fault: &&Fault| matches!(fault.kind, FaultKind::Missing | FaultKind::Value);
        match (method, faults.iter().find(broken)) {
            (Some(method), None) => Ok(Self {
                protocol,
                precision,
                model,
                task,
                method,
            }),
            (_, fault) => Err(ConfigError::Key(
                fault.map_or_else(|| METHOD_NAME.path.into(), |fault| fault.key.clone()),
            )),
        }
    }

    /// What of the configuration decides a run's numbers: no place, and nothing that is at its default, so that a key of a
    /// later version changes no earlier id.
    pub fn identity(&self) -> Json {
        let mut values = self.values();
        values.remove(&TaskSpec::DATA);
        let values = values.without_defaults(self.method.name());
        let all: Vec<(&str, Json)> = values
            .iter()
            .map(|(path, literal)| (path, literal.to_json()))
            .collect();
        json!([self.protocol, self.precision, all,])
    }

    /// The same run without its training: the zero-shot run that stands beside it.
    pub fn zero_shot(&self) -> Self {
        Self {
            method: Method::ZERO_SHOT,
            ..self.clone()
        }
    }

    /// The name of its method.
    pub fn method_name(&self) -> MethodName {
        self.method.name()
    }
}

/// Whether a key's path lies below one that holds a table of the user's own keys, as `task.label_words.0` does.
pub(crate) fn open_table(path: &str) -> Option<&'static str> {
    let (parent, _) = path.rsplit_once('.')?;
    let key = catalog::key(parent)?;
    (key.kind == Kind::Texts).then_some(key.path)
}
