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
pub mod device;
mod dropout;
mod families;
mod gradient;
mod groups;
mod layers;
mod loss;
mod model;
mod noise;
mod ops;
mod optimizer;
mod parameters;
mod precision;
mod probe;
#[cfg(test)]
mod test_support;
mod tuning;
mod weight;

use adapters::lora;
use families::roberta;

pub use adapters::lora::LoraConfig;
pub use adapters::prefix::{PrefixConfig, PrefixInit};
pub use batch::Batch;
pub use batched::{Part, scores_batched};
pub use clock::{Clock, Phase};
pub use dropout::Dropout;
pub use families::roberta::Roberta;
pub use families::{Loaded, Model, Unsupported, load};
pub use gradient::{Estimates, Gradient, Gradients, Term};
pub use groups::Groups;
pub use loss::{cross_entropy, prediction};
pub use mezo_spec::TuningName as Tuning;
pub use mezo_weights::{
    Config, ModelError, ModelFiles, NamedTensor, RobertaConfig, TensorProblem, read_tensors,
    tensors_of, to_safetensors,
};
pub use noise::{Noise, Philox, Probe, philox_words};
pub use ops::product_seconds;
pub use ops::score::Scores;
pub use optimizer::{Decay, DecayOn, Optimizer, Rule};
pub use precision::Precision;
pub use probe::Probes;
