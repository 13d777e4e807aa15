//! The head of runs without a prompt: a classifier of the first token, Hugging Face's `RobertaClassificationHead`.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::Roberta;
use crate::layers::Linear;
use crate::noise::{Draw, initial_normals};
use crate::ops::Activation;
use crate::ops::score::Readout;
use crate::probe::Probes;
use crate::weight::Weight;

/// `tanh(x W + b)`, then one row of weights and one bias for each class.
#[derive(Module, Debug)]
pub struct Classifier {
    pub(crate) dense: Linear,
    /// `[C, H]`: a class is a row, as a word is in the decoder.
    pub(crate) rows: Weight,
    /// `[C, 1]`
    pub(crate) bias: Weight,
}

/// Standard deviation of the first weights: `initializer_range` of RoBERTa's published configurations.
const INITIALIZER_RANGE: f32 = 0.02;

impl Classifier {
    /// Weights from `N(0, 0.02^2)`, biases zero, as Hugging Face's library starts one.
    fn initial(width: usize, classes: usize, seed: u64, device: &Device) -> Self {
        let drawn = |number, rows: usize, columns: usize| {
            let (draw, count) = (Draw::Classifier, rows * columns);
            let values = initial_normals(seed, draw, number, INITIALIZER_RANGE, count);
            Weight::new(Tensor::from_data(
                TensorData::new(values, [rows, columns]),
                device,
            ))
        };
        let zeros = |rows, columns| Weight::new(Tensor::zeros([rows, columns], device));
        Self {
            dense: Linear {
                weight: drawn(0, width, width),
                bias: zeros(1, width),
                lora: None,
            },
            rows: drawn(1, classes, width),
            bias: zeros(classes, 1),
        }
    }

    /// # Shapes
    /// `[P or 1, B, H]` -> rows of C classes for hidden states of the same shape
    pub(crate) fn readout(&self, asked: Tensor<3>, probes: &Probes<'_>) -> Readout {
        let asked = probes.drop_hidden(asked);
        let classes: Vec<usize> = (0..self.rows.dims()[0]).collect();
        let hidden = self.dense.then(Activation::Tanh, asked, probes);
        Readout {
            hidden: probes.drop_hidden(hidden),
            rows: probes.rows(&self.rows, &classes),
            bias: probes.rows(&self.bias, &classes),
        }
    }
}

impl Roberta {
    /// Puts a classifier in the place of the head for words, its first values drawn by the seed.
    ///
    /// From then on scores are one score for each class, and the head for words is out of use: it is
    /// neither trained nor saved.
    pub(crate) fn attach_classifier(&mut self, classes: usize, seed: u64) {
        let width = self.embeddings.word.dims()[1];
        let device = self.device();
        self.classifier = Some(Classifier::initial(width, classes, seed, &device));
        self.new_head = true;
    }
}
