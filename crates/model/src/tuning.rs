//! Which weights are trained, and how they are changed.

use crate::lora::{Lora, LoraConfig};
use crate::parameters::{NamedTensor, is_lora};
use crate::roberta::Roberta;

/// Which weights a run trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// All of them.
    Full,
    /// LoRA's alone.
    Lora,
}

impl Roberta {
    /// Puts a low-rank term beside the query and value of every layer, as the paper's LoRA runs do; its first values are
    /// drawn by the seed.
    pub fn attach_lora(&mut self, config: LoraConfig, seed: u64) {
        let device = self.device();
        for (number, layer) in self.layers.iter_mut().enumerate() {
            for (side, linear) in [&mut layer.query, &mut layer.value].into_iter().enumerate() {
                let dims = linear.weight.dims();
                linear.lora = Some(Lora::initial(
                    dims,
                    config,
                    seed,
                    2 * number + side,
                    &device,
                ));
            }
        }
    }

    /// Marks the weights that are trained and numbers them in the order of the walk; all others are frozen.
    pub fn train_only(&mut self, tuning: Tuning) {
        let mut next = 0;
        self.each_mut("", &mut |name, _, weight| {
            let trained = match tuning {
                Tuning::Full => !is_lora(&name),
                Tuning::Lora => is_lora(&name),
            };
            weight.parameter = trained.then_some(next);
            next += usize::from(trained);
        });
    }

    /// How many scalars are trained.
    pub fn trainable_scalars(&self) -> usize {
        let mut count = 0;
        self.each("", &mut |_, _, weight| {
            count += weight.parameter.map_or(0, |_| weight.len());
        });
        count
    }

    /// Names of the trained tensors, in the order of their numbers.
    pub fn trainable_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.each("", &mut |name, _, weight| {
            if weight.parameter.is_some() {
                names.push(name);
            }
        });
        names
    }

    /// The trained tensors as files hold them.
    pub fn trainable_tensors(&self) -> Vec<NamedTensor> {
        self.tensors(|_, weight| weight.parameter.is_some())
    }
}
