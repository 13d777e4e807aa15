//! A model's files: where they lie, what its config says, and every tensor checked. Nothing here computes with them.
//!
//! [`ModelFiles`] is a folder in Hugging Face's layout, a snapshot of the hub's cache, or the model in the binary.
//! [`Checkpoint::open`] holds its names, shapes and types against its [`Config`] by the headers alone;
//! [`Checkpoint::check`] reads every value, and gives their hash. Building a model is `mezo-model`'s.

mod checkpoint;
mod error;
mod families;
mod files;
mod header;
mod locate;
mod names;
mod tensors;
mod write;

pub use checkpoint::{Checkpoint, Values};
pub use error::{ModelError, TensorProblem, check_shape, problem};
pub use families::Config;
pub use families::roberta::{self, RobertaConfig};
pub use files::{Builtin, Bytes, ModelFiles, WHOLE, read_tensors};
pub use locate::source;
pub use names::{is_adapter, is_head, is_lora, is_prefix, is_word_head, trains};
pub use tensors::{NamedTensor, tensors_of};
pub use write::{to_safetensors, to_safetensors_with, write, write_json};
