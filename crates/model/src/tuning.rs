//! Which weights are trained, and how they are changed.

use crate::lora::{Lora, LoraConfig};
use crate::parameters::{NamedTensor, is_head, is_lora, is_prefix, is_word_head};
use crate::roberta::Roberta;

/// Which weights a run trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// All of the model, without what was put beside it.
    Full,
    /// LoRA's terms.
    Lora,
    /// The prefixes of the layers.
    Prefix,
    /// The head: the classifier where there is one, else the head for words with a decoder of its own if it has one (the
    /// reference's `head_tuning`).
    Head,
    /// Every bias, the shifts of the layer norms and the head's included (BitFit).
    Bias,
}

impl Tuning {
    fn trains(self, name: &str, with_head: bool) -> bool {
        match self {
            Self::Full => Roberta::is_base(name),
            Self::Head => is_head(name),
            _ if with_head && is_head(name) => true,
            Self::Lora => is_lora(name),
            Self::Prefix => is_prefix(name),
            Self::Bias => name.ends_with(".bias"),
        }
    }
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
    ///
    /// `with_head` trains the head along with LoRA, the prefixes or the biases, as the reference does beside LoRA
    /// (run.py:939-942). A head for words that a classifier has replaced is never trained: nothing reads it.
    pub fn train_only(&mut self, tuning: Tuning, with_head: bool) {
        let replaced = self.classifier.is_some();
        let mut next = 0;
        self.each_mut("", &mut |name, _, weight| {
            let read = !(replaced && is_word_head(&name));
            let trained = read && tuning.trains(&name, with_head);
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
