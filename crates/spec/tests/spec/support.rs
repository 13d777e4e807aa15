//! Specs to begin with, and what is said of one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mezo_spec::{
    Default, Key, Kind, Literal, Method, MethodName, ModelSource, Overrides, Precision, RunConfig,
    RunSpec, Spec, SpecErrors, TaskConfig,
};

/// A sound spec of one run.
pub const SOUND: &str = r#"name = "demo"

[model]
builtin = "roberta-imdb-tiny"

[task]
name = "made-sentiment"
k = 16

[method]
name = "mezo"

[train]
seed = 13
steps = 10
batch_size = 4
eval_every = 5
lr = 1e-4
eps = 1e-3
"#;

/// The sound spec after some edits.
#[track_caller]
pub fn edited(edits: &[(&str, &str)]) -> String {
    let mut text = SOUND.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "the spec has no {old:?}:\n{text}");
        text = text.replacen(old, new, 1);
    }
    text
}

/// Everything that is said, as the program prints it.
pub fn said(errors: &SpecErrors) -> String {
    let said = errors.iter().map(|error| match error.hint() {
        Some(hint) => format!("error: {error}\nhint: {hint}"),
        None => format!("error: {error}"),
    });
    said.collect::<Vec<_>>().join("\n\n")
}

/// The errors of a spec, be it of its text or of one of its runs.
#[track_caller]
pub fn errors(text: &str) -> SpecErrors {
    match Spec::parse("spec.toml", text) {
        Ok(spec) => spec.runs(&Overrides::default()).unwrap_err(),
        Err(errors) => errors,
    }
}

/// What is said of a spec.
#[track_caller]
pub fn refused(text: &str) -> String {
    said(&errors(text))
}

/// Each thing that is wrong with a spec, with its place: `15:9 missing key ...`.
#[track_caller]
pub fn told(text: &str) -> Vec<String> {
    let errors = errors(text);
    let told = errors.iter().map(|error| match error.excerpt() {
        Some(at) => format!("{}:{} {}", at.line(), at.column(), error.problem()),
        None => error.problem().to_string(),
    });
    told.collect()
}

/// A spec that is sound, but for its runs.
#[track_caller]
pub fn spec(text: &str) -> Spec {
    Spec::parse("spec.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The runs of a spec.
#[track_caller]
pub fn runs(spec: &Spec) -> Vec<RunSpec> {
    let runs = spec.runs(&Overrides::default());
    let runs = runs.unwrap_or_else(|errors| panic!("{errors}")).into_iter();
    runs.map(|(_, run)| run).collect()
}

/// The labels of a spec's points.
#[track_caller]
pub fn labels(text: &str) -> Vec<String> {
    spec(text).points().map(|point| point.label()).collect()
}

/// The whole numbers from 1 on, so many of them.
pub fn list(count: usize) -> String {
    format!("{:?}", (1..=count).collect::<Vec<_>>())
}

/// A value as a spec has it.
pub fn toml(literal: &Literal) -> String {
    match literal {
        Literal::Flag(flag) => flag.to_string(),
        Literal::Whole(whole) => whole.to_string(),
        Literal::Number(number) => format!("{number:?}"),
        Literal::Text(text) => format!("{text:?}"),
        Literal::Texts(texts) => {
            let texts = texts
                .iter()
                .map(|(key, text)| format!("{key:?} = {text:?}"));
            format!("{{ {} }}", texts.collect::<Vec<_>>().join(", "))
        }
        Literal::Other(words) => panic!("{words} has no words in a spec"),
    }
}

/// A sound spec of a method, with `more` as further lines, each of which sets a key by its path.
pub fn of_method(method: MethodName, more: &str) -> String {
    let reads = Method::keys_of(method);
    let needed = [
        ("model.builtin", "\"roberta-imdb-tiny\""),
        ("task.name", "\"made-sentiment\""),
        ("task.k", "16"),
        ("train.seed", "13"),
        ("train.steps", "10"),
        ("train.batch_size", "4"),
        ("train.eval_every", "5"),
        ("train.lr", "1e-4"),
        ("train.eps", "1e-3"),
    ];
    let mut text = format!("name = \"demo\"\nmethod.name = \"{method}\"\n");
    for (path, value) in needed {
        let begins = format!("{path} = ");
        let set = more.lines().any(|line| line.starts_with(&begins));
        let read = !path.starts_with("train.") || reads.iter().any(|key| key.path == path);
        if read && !set {
            text += &format!("{begins}{value}\n");
        }
    }
    text + more
}

/// What else must be set where a key is.
pub fn beside(key: &Key) -> &'static str {
    match (key.table(), key.name()) {
        ("method.lora", _) => "method.tuning = \"lora\"\n",
        ("method.prefix", _) => "method.tuning = \"prefix\"\n",
        ("method.estimates", name) if name != "count" => "method.estimates.count = 4\n",
        ("method.scale", name) if name != "by" => "method.scale.by = \"gradient-norm\"\n",
        ("train", "decay_on") => "train.weight_decay = 0.1\n",
        ("train", "momentum") => "train.optimizer = \"sgd\"\n",
        _ => "",
    }
}

/// The default of a key under a method, where it has one.
pub fn default(key: &Key, method: MethodName) -> Option<Literal> {
    Some(match key.default {
        Default::Needed | Default::Open => return None,
        Default::Whole(whole) => Literal::Whole(whole),
        Default::Number(number) => Literal::Number(number),
        Default::Flag(flag) => Literal::Flag(flag),
        Default::Word(word) => Literal::Text(word.into()),
        Default::ByMethod(word) => Literal::Text(word(method).into()),
    })
}

/// Different values that a key can have.
pub fn values(key: &Key) -> Vec<Literal> {
    let text = |text: &str| Literal::Text(text.into());
    match key.kind {
        Kind::Whole => [3, 4].map(Literal::Whole).to_vec(),
        Kind::Number => [0.5, 0.25].map(Literal::Number).to_vec(),
        Kind::Flag => [false, true].map(Literal::Flag).to_vec(),
        Kind::Words(words) => words.iter().map(|(word, _)| text(word)).collect(),
        Kind::Text | Kind::Path => vec![text("a"), text("b")],
        Kind::Texts => ["bad", "good"]
            .map(|word| Literal::Texts([("0".to_owned(), word.to_owned())].into()))
            .to_vec(),
    }
}

/// What a run is resolved to, of a task whose own prompt is this one.
pub fn config(run: &RunSpec) -> RunConfig {
    let task = run.task.clone();
    let own = || BTreeMap::from([("0".to_owned(), "terrible".to_owned())]);
    RunConfig {
        protocol: run.protocol,
        precision: run.model.precision.unwrap_or(Precision::F16),
        model: ModelSource::Builtin("roberta-imdb-tiny".into()),
        task: TaskConfig {
            name: task.name,
            data: task.data,
            k: task.k,
            test_cap: task.test_cap,
            prompt: task.prompt,
            template: match task.prompt {
                true => task.template.unwrap_or("*cls**sent_0*.*mask*".into()),
                false => String::new(),
            },
            label_words: match task.prompt {
                true => task.label_words.unwrap_or_else(own),
                false => BTreeMap::new(),
            },
            max_length: task.max_length.unwrap_or(128),
            cut: task.cut,
        },
        method: run.method.clone(),
    }
}

/// The configuration of a spec of one run.
#[track_caller]
pub fn config_of(text: &str) -> RunConfig {
    let runs = runs(&spec(text));
    assert_eq!(runs.len(), 1);
    config(&runs[0])
}

/// A folder or file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// All files below a folder that end so, in the order of their names.
pub fn files_below(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| match path.is_dir() {
            true => files_below(&path, end),
            false => vec![path],
        })
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(end)))
        .collect();
    paths.sort();
    paths
}
