//! Scores of the label words: a narrow product, summed in f64.

use burn::tensor::Tensor;

use super::host::Host;

/// `hidden . decoder[c] + bias[c]` for each row and label word, on the host.
///
/// Few numbers come out and the loss is a small difference of them, so the sums are made in f64 wherever the model runs.
///
/// # Shapes
/// hidden `[P or 1, B, H]`, decoder `[P or 1, C, H]`, bias `[P or 1, C, 1]` -> P x B x C numbers, in that order
pub(crate) fn scores(hidden: Tensor<3>, decoder: Tensor<3>, bias: Tensor<3>) -> Scores {
    let hidden = Values::of(hidden);
    let decoder = Values::of(decoder);
    let bias = Values::of(bias);
    let [_, rows, width] = hidden.dims;
    let classes = decoder.dims[1];
    let probes = hidden.dims[0].max(decoder.dims[0]).max(bias.dims[0]);
    let mut values = Vec::with_capacity(probes * rows * classes);
    for probe in 0..probes {
        let (decoder, bias) = (decoder.plane(probe), bias.plane(probe));
        for row in hidden.plane(probe).chunks_exact(width) {
            for (weights, bias) in decoder.chunks_exact(width).zip(bias) {
                let terms = row
                    .iter()
                    .zip(weights)
                    .map(|(&x, &w)| f64::from(x) * f64::from(w));
                values.push(terms.sum::<f64>() + f64::from(*bias));
            }
        }
    }
    Scores {
        values,
        probes,
        rows,
        classes,
    }
}

/// Label-word scores of every probe and sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub(crate) values: Vec<f64>,
    /// P
    pub probes: usize,
    /// B, the sentences.
    pub rows: usize,
    /// C, the label words.
    pub classes: usize,
}

impl Scores {
    /// The C scores of a sentence as a probe sees it.
    pub fn row(&self, probe: usize, row: usize) -> &[f64] {
        let first = (probe * self.rows + row) * self.classes;
        &self.values[first..first + self.classes]
    }
}

/// A tensor's elements on the host, borrowed where it lives there.
struct Values {
    elements: Elements,
    dims: [usize; 3],
}

enum Elements {
    Host(Host<3>),
    Copied(Vec<f32>),
}

impl Values {
    fn of(tensor: Tensor<3>) -> Self {
        let dims = tensor.dims();
        let elements = match Host::of([tensor]) {
            Ok([host]) => Elements::Host(host),
            Err([tensor]) => Elements::Copied(tensor.into_data().iter::<f32>().collect()),
        };
        Self { elements, dims }
    }

    /// The elements of a probe's plane, or of the one plane all share.
    fn plane(&self, probe: usize) -> &[f32] {
        let [planes, rows, width] = self.dims;
        let plane = if planes == 1 { 0 } else { probe };
        let all = match &self.elements {
            Elements::Host(host) => host.values(),
            Elements::Copied(values) => values,
        };
        &all[plane * rows * width..(plane + 1) * rows * width]
    }
}
