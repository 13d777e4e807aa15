//! RoBERTa in burn with a probe axis.
//!
//! MeZO compares the loss at perturbed copies of the parameters. Here those copies go through the model together:
//! hidden states are `[P, T, H]` (probes, packed tokens, width), a frozen weight is shared by all probes, and a trained
//! one is seen as `[P, in, out]`, made where it is used and dropped after. Nothing writes to a weight but the update.
//!
//! Files are Hugging Face's, both ways.

mod backward;
mod batch;
mod classifier;
mod clock;
mod company;
mod config;
pub mod device;
mod dropout;
mod error;
mod folder;
mod gradient;
mod groups;
mod kernels;
mod layer;
mod load;
mod lora;
mod loss;
mod noise;
mod optimizer;
mod parameters;
mod precision;
mod prefix;
mod probe;
mod random;
mod roberta;
mod save;
mod sizes;
#[cfg(test)]
mod test_support;
mod tuning;
mod weight;

pub use batch::Batch;
pub use classifier::Classifier;
pub use clock::{Clock, Phase};
pub use company::{Part, scores_together};
pub use config::RobertaConfig;
pub use dropout::Dropout;
pub use error::{ModelError, TensorProblem};
pub use folder::{Builtin, ModelFiles};
pub use gradient::{Estimates, Gradient, Gradients, Term};
pub use groups::Groups;
pub use kernels::product_seconds;
pub use kernels::score::Scores;
pub use layer::{EncoderLayer, LayerNorm, Linear};
pub use load::{Loaded, load, read_tensors, tensors_of};
pub use lora::{Lora, LoraConfig};
pub use loss::{cross_entropy, prediction};
pub use noise::{Noise, Philox, Probe, philox_words};
pub use optimizer::{Decay, DecayOn, Optimizer, Rule};
pub use parameters::NamedTensor;
pub use precision::{Precision, UnknownPrecision};
pub use prefix::{Prefix, PrefixConfig, PrefixInit};
pub use probe::Probes;
pub use roberta::{Embeddings, Head, Roberta};
pub use save::{to_safetensors, to_safetensors_with};
pub use sizes::{HeadKind, Trained};
pub use tuning::Tuning;
pub use weight::Weight;
