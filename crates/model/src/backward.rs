//! Backpropagation: the gradient that fine-tuning goes down, and that MeZO's estimates are held against.

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};

use crate::batch::{Batch, Batches};
use crate::dropout::Dropout;
use crate::families::Model;
use crate::gradient::Gradients;
use crate::ops::Products;
use crate::ops::score::{Readout, Scores, scores};
use crate::probe::Probes;

impl Model {
    /// The mean cross-entropy of the batch over the label words, and its gradient by every trained tensor.
    ///
    /// The pass is the one of [`Self::scores`] on weights that burn's autodiff follows; they share their memory with the
    /// model's. What lies before the first trained weight is not recorded.
    ///
    /// # Shapes
    /// T tokens of B sentences, C words, B labels below C
    pub fn gradients(
        &self,
        batch: Batch<'_>,
        words: &[usize],
        labels: &[usize],
        dropout: Option<Dropout>,
    ) -> (f64, Gradients) {
        let followed = self.followed();
        let leaves = followed.trained_values();
        let probes = Probes::dropping(dropout);
        let all = [batch];
        let readout = followed
            .family()
            .readout(Batches::new(&all), words, &probes);
        let scores = scores(readout.clone());
        let Readout { hidden, rows, bias } = readout;
        let loss = scores.losses(labels)[0];

        let device = self.device();
        let dims = [1, scores.rows, scores.classes];
        let slopes =
            Tensor::<3>::from_data(TensorData::new(slopes(&scores, labels), dims), &device);
        // The loss is made in f64 beside the graph, and so is its slope by each score. The gradient of this sum, in
        // which the slopes are constant, is the loss's.
        let products = hidden.matmul(rows.swap_dims(1, 2)) + bias.swap_dims(1, 2);
        let gradients = backward((products * slopes).sum(), leaves);
        (loss, gradients)
    }

    /// The same model with its trained weights under autodiff's eyes; no values are copied.
    fn followed(&self) -> Self {
        let mut followed = self.clone();
        *followed.family_mut().products_mut() = Products::F32;
        followed.each_mut(&mut |_, _, weight| {
            if weight.parameter.is_some() {
                weight.value = Param::from_tensor(weight.value.val().autodiff());
            }
        });
        followed
    }

    /// The values of the trained weights, by their number.
    pub(crate) fn trained_values(&self) -> Vec<Tensor<2>> {
        let mut values = Vec::new();
        self.each(&mut |_, _, weight| {
            if weight.parameter.is_some() {
                values.push(weight.value.val());
            }
        });
        values
    }
}

/// The gradient of `loss` by each leaf; zeros where it does not depend on one.
fn backward(loss: Tensor<1>, leaves: Vec<Tensor<2>>) -> Gradients {
    if leaves.is_empty() {
        return Gradients::new(vec![]);
    }
    let mut recorded = loss.backward();
    let by_parameter = leaves
        .into_iter()
        .map(|leaf| match leaf.grad_remove(&mut recorded) {
            Some(gradient) => gradient.into_data().iter::<f32>().collect(),
            None => vec![0.0; leaf.dims().iter().product()],
        });
    Gradients::new(by_parameter.collect())
}

/// `d loss / d score`: the softmax less one at the label, over the number of sentences.
fn slopes(scores: &Scores, labels: &[usize]) -> Vec<f32> {
    let count = labels.len() as f64;
    let mut slopes = Vec::with_capacity(scores.rows * scores.classes);
    for (row, &label) in labels.iter().enumerate() {
        let row = scores.row(0, row);
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = row.iter().map(|score| (score - largest).exp()).sum();
        for (class, score) in row.iter().enumerate() {
            let share = (score - largest).exp() / total;
            let wanted = if class == label { 1.0 } else { 0.0 };
            slopes.push(((share - wanted) / count) as f32);
        }
    }
    slopes
}
