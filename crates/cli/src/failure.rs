//! An error on its way to the user.

use mezo_data::DataError;
use mezo_hub::HubError;
use mezo_report::ReportError;
use mezo_spec::{SpecError, SpecErrors};
use mezo_sweep::plan::{PlanError, ResolveError};
use mezo_sweep::slurm::SlurmError;
use mezo_sweep::{FolderError, NoDevice, RunError, StateError};
use mezo_tasks::TaskError;
use mezo_train::TrainError;

use crate::exit::Exit;

/// What is said and how the program ends.
#[derive(Debug)]
pub struct Failure {
    /// After `error: `.
    pub message: String,
    /// After `hint: `.
    pub hint: Option<String>,
    /// The exit code.
    pub exit: Exit,
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit: Exit::BadInput,
        }
    }
}

impl From<SpecErrors> for Failure {
    /// All of them, each as an error of its own.
    fn from(errors: SpecErrors) -> Self {
        let text = |error: &SpecError| match error.hint() {
            Some(hint) => format!("{error}\nhint: {hint}"),
            None => error.to_string(),
        };
        let all: Vec<String> = errors.iter().map(text).collect();
        Self {
            message: all.join("\nerror: "),
            hint: None,
            exit: Exit::BadInput,
        }
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit: Exit::BadInput,
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        let exit = match &error {
            error if error.is_held() => Exit::Held,
            error if error.is_bad_input() => Exit::BadInput,
            _ => Exit::Failed,
        };
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit,
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Spec(errors) => errors.into(),
            PlanError::Value(error) => error.into(),
            PlanError::Resolve(error) => error.into(),
            other => Self {
                message: other.to_string(),
                hint: None,
                exit: Exit::BadInput,
            },
        }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        let exit = match error.is_bad_input() {
            true => Exit::BadInput,
            false => Exit::Failed,
        };
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit,
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit: Exit::Failed,
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit: Exit::Failed,
        }
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        DataError::from(error).into()
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        let exit = if error.is_bad_input() {
            Exit::BadInput
        } else {
            Exit::Failed
        };
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit,
        }
    }
}

impl From<NoDevice> for Failure {
    fn from(error: NoDevice) -> Self {
        Self {
            message: error.to_string(),
            hint: Some(
                "`cpu` is always there; CUDA needs a build with `--features cuda` and a driver"
                    .into(),
            ),
            exit: Exit::BadInput,
        }
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit: Exit::Failed,
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit: Exit::Failed,
        }
    }
}

impl From<SlurmError> for Failure {
    fn from(error: SlurmError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            exit: Exit::Failed,
        }
    }
}
