//! The declarations of all keys, a file for each table.

mod estimates;
mod fine_tune;
pub(crate) mod method;
mod mezo;
mod model;
mod protocol;
mod task;
mod train;
mod tuning;

pub use estimates::{Estimates, EstimatesSchedule, Modifies, Scale, ScaleBy, ScaleMeasured};
pub use fine_tune::FineTune;
pub use method::{LinearProbe, METHOD_NAME, Method, MethodName, ZeroShot};
pub use mezo::{Estimator, Mezo, Objective, Start};
pub use model::{DeviceKind, ModelSpec, Precision};
pub use protocol::{PROTOCOL, Protocol};
pub use task::{Cut, TaskSpec};
pub use train::{DecayOn, Optimizer, Schedule, Training};
pub use tuning::{Lora, Prefix, PrefixInit, TUNING, Tuning, TuningName};
