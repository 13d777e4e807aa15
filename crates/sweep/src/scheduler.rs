//! Runs on this machine: workers on its devices, what they say, and what failures mean.

pub(crate) mod batching;
mod device;
pub mod estimate;
mod event;
pub mod exit;
pub(crate) mod policy;
mod pool;
mod process;
mod protocol;
mod reason;
mod tracked;
mod worker;

pub use batching::{BadTogether, DeviceKind, Together, open_files, together_limit};
pub use device::{BadSelection, Device, Fleet, Machine, NoDevice, Selection};
pub use event::{Event, Outcome, Watch};
pub use policy::Failure;
pub use pool::{SchedulerConfig, run};
pub use process::{Timeouts, WorkerCommand};
pub use protocol::{EventWriter, RunEnd, WorkerEvent};
pub use reason::{Cause, Reason};
