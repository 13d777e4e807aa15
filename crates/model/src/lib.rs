//! Language models in burn with a probe axis. A family of them is a file: [`Model`] is one of RoBERTa's.
//!
//! MeZO compares the loss at perturbed copies of the parameters. Here those copies go through the model together:
//! hidden states are `[P, T, H]` (probes, packed tokens, width), a frozen weight is shared by all probes, and a trained
//! one is seen as `[P, in, out]`, made where it is used and dropped after. Nothing writes to a weight but the update.
//!
//! Files are Hugging Face's, both ways.

mod adapters;
mod backward;
mod batch;
mod batched;
mod clock;
mod config;
pub mod device;
mod dropout;
mod error;
mod families;
mod folder;
mod gradient;
mod groups;
mod layers;
mod load;
mod loss;
mod model;
mod noise;
mod ops;
mod optimizer;
mod parameters;
mod precision;
mod probe;
mod save;
mod sizes;
#[cfg(test)]
mod test_support;
mod tuning;
mod weight;

use adapters::lora;
#[cfg(test)]
use adapters::prefix;
use families::roberta;

pub use adapters::lora::LoraConfig;
pub use adapters::prefix::{PrefixConfig, PrefixInit};
pub use batch::Batch;
pub use batched::{Part, scores_batched};
pub use clock::{Clock, Phase};
pub use config::RobertaConfig;
pub use dropout::Dropout;
pub use error::{ModelError, TensorProblem};
pub use families::roberta::Roberta;
pub use families::{Loaded, Model, Unsupported, load};
pub use folder::{Builtin, ModelFiles};
pub use gradient::{Estimates, Gradient, Gradients, Term};
pub use groups::Groups;
pub use load::{read_tensors, tensors_of};
pub use loss::{cross_entropy, prediction};
pub use noise::{Noise, Philox, Probe, philox_words};
pub use ops::product_seconds;
pub use ops::score::Scores;
pub use optimizer::{Decay, DecayOn, Optimizer, Rule};
pub use parameters::NamedTensor;
pub use precision::Precision;
pub use probe::Probes;
pub use save::{to_safetensors, to_safetensors_with};
pub use sizes::{HeadKind, Trained};
pub use tuning::Tuning;
