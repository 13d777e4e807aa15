//! Which weights are trained, and how they are changed.

use std::collections::BTreeMap;
use std::path::Path;

use mezo_spec::TuningName as Tuning;
use mezo_weights::{
    ModelError, NamedTensor, TensorProblem, check_shape, is_word_head, problem, trains,
};

use crate::lora::{Lora, LoraConfig};
use crate::roberta::Roberta;

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
            let trained = read && trains(tuning, &name, with_head);
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

    /// Takes the values of the trained tensors from a file's.
    ///
    /// # Errors
    /// If one is missing, misshapen, or not among the trained ones; `path` is named in the error.
    pub fn set_trainable(
        &mut self,
        tensors: Vec<NamedTensor>,
        path: &Path,
    ) -> Result<(), ModelError> {
        let mut by_name: BTreeMap<String, NamedTensor> = tensors
            .into_iter()
            .map(|tensor| (tensor.name.clone(), tensor))
            .collect();
        let mut failed = None;
        self.each_mut("", &mut |name, stored, weight| {
            if weight.parameter.is_none() || failed.is_some() {
                return;
            }
            let Some(tensor) = by_name.remove(&name) else {
                failed = Some(problem(path, &name, TensorProblem::Missing));
                return;
            };
            match check_shape(path, &name, &tensor.shape, &weight.file_shape(stored)) {
                Ok(()) => weight.set_from_file(stored, tensor.values),
                Err(error) => failed = Some(error),
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        match by_name.into_keys().next() {
            Some(name) => Err(problem(path, &name, TensorProblem::Unknown)),
            None => Ok(()),
        }
    }
}
