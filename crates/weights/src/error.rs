//! What can go wrong with a model's files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mezo_hub::HubError;

/// An error of this crate. Its text starts with the file it is about, where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no such folder.
    #[error("{}: there is no such model folder", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds no weights.
    #[error("{}: holds neither model.safetensors nor model.safetensors.index.json", path.display())]
    NoWeights {
        /// The folder.
        path: PathBuf,
    },
    /// An index of weights names a file that is not beside it.
    #[error("{}: names the file {name:?}, expected one inside its own folder", path.display())]
    Outside {
        /// The index.
        path: PathBuf,
        /// What it names.
        name: String,
    },
    /// A JSON file that is not what it should be.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was expected.
        message: String,
    },
    /// A configuration this crate has no model for.
    #[error("{}: {message}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A Git LFS pointer lies where the weights should.
    #[error("{}: is a Git LFS pointer, not the weights themselves", path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// A safetensors file that is cut off or broken.
    #[error("{}: is not a whole safetensors file ({bytes} bytes): {message}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// What the reader said.
        message: String,
    },
    /// A tensor is not as the model needs it.
    #[error("{}: tensor `{name}` {problem}", path.display())]
    Tensor {
        /// The file; for a missing tensor, the one that should list it.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// What is wrong with it.
        problem: TensorProblem,
    },
    /// There is no such model in the binary.
    #[error("there is no built-in model `{name}`")]
    NoBuiltin {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A model of the hub that is not in its cache on this machine.
    #[error("{repo} at {revision} is not in the hub's cache, {}", cache.display())]
    NotFetched {
        /// The repository.
        repo: String,
        /// Its branch, tag or commit.
        revision: String,
        /// The cache's folder.
        cache: PathBuf,
    },
    /// The hub's cache, or what is asked of it.
    #[error(transparent)]
    Hub(HubError),
}

/// What can be wrong with one tensor.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TensorProblem {
    /// The model needs it and it is not there.
    #[error("is missing")]
    Missing,
    /// It is there and the model has no place for it.
    #[error("is not part of this model")]
    Unknown,
    /// Another shape.
    #[error("has shape {found:?}, expected {expected:?}")]
    Shape {
        /// In the file.
        found: Vec<usize>,
        /// What the configuration says.
        expected: Vec<usize>,
    },
    /// Neither f32 nor f16 nor bf16.
    #[error("has dtype {0}, expected F32, F16 or BF16")]
    Dtype(String),
    /// NaN or infinite.
    #[error("holds {value} at element {element}")]
    NotFinite {
        /// First such element.
        element: usize,
        /// NaN or an infinity.
        value: f32,
    },
    /// It appears in two shards.
    #[error("is in two files")]
    Twice,
}

impl TensorProblem {
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Missing => {
                "the weights must be those of a whole masked-word model (RobertaForMaskedLM), not of a bare encoder or \
                 a classifier"
            }
            Self::Shape { .. } | Self::Unknown => {
                "config.json and the weights must come from the same model"
            }
            Self::Dtype(_) => "save the weights as one of these",
            Self::NotFinite { .. } => {
                "the weights are of no use: take them from their source again"
            }
            Self::Twice => return None,
        })
    }
}

impl ModelError {
    /// What the JSON reader says of a file, with the place at the front.
    pub fn json(path: PathBuf, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let place = format!(" at line {line} column {column}");
        let message = message
            .strip_suffix(&place)
            .unwrap_or(&message)
            .replace("expected usize", "expected a whole number")
            .replace("expected f64", "expected a number");
        // The reader counts the columns of a line that has just begun from 0.
        Self::Json {
            path,
            line,
            column: column.max(1),
            message,
        }
    }

    /// A way out, where there is one to tell.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { source, .. } if source.kind() != ErrorKind::NotFound => return None,
            Self::Read { .. } | Self::NoFolder { .. } | Self::NoWeights { .. } => {
                "put a model there in Hugging Face's layout (config.json, model.safetensors, and tokenizer.json or \
                 vocab.json with merges.txt), or name another folder with `--model DIR`"
                    .into()
            }
            Self::LfsPointer { .. } => "run `git lfs pull` in the model's repository, or download the file".into(),
            Self::Outside { .. } => "take the index from where the weights come from again: no model's own reaches out of its folder".into(),
            Self::Broken { .. } => "download the file again: it was probably cut off".into(),
            Self::Tensor { problem, .. } => problem.hint()?.into(),
            Self::NoBuiltin { known, .. } => format!("the built-in models: {known}"),
            Self::NotFetched { .. } => {
                "`mezo sweep run` fetches it before it starts; or give a folder with --model DIR".into()
            }
            Self::Hub(error) => return error.hint(),
            _ => return None,
        })
    }

    /// Whether the model is just not there.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::NoFolder { .. } | Self::NoWeights { .. } | Self::NotFetched { .. } => true,
            Self::Read { source, .. } => source.kind() == ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Whether the spec or the files are wrong, as opposed to the machine.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Hub(error) => error.is_bad_input(),
            _ => true,
        }
    }
}

/// What is wrong with a tensor of a file.
pub fn problem(path: &Path, name: &str, problem: TensorProblem) -> ModelError {
    ModelError::Tensor {
        path: path.into(),
        name: name.into(),
        problem,
    }
}

/// Holds a tensor's shape against the expected one.
///
/// # Errors
/// If it is another.
pub fn check_shape(
    path: &Path,
    name: &str,
    found: &[usize],
    expected: &[usize],
) -> Result<(), ModelError> {
    if found == expected {
        return Ok(());
    }
    let shape = TensorProblem::Shape {
        found: found.into(),
        expected: expected.into(),
    };
    Err(problem(path, name, shape))
}
