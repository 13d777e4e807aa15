//! Scores of the label words: a narrow product, summed in f64.

use burn::tensor::{Tensor, TensorData, Transaction};
use rayon::prelude::*;

use super::Plane;
use super::host::Host;

/// Rows of a piece of work.
const ROWS: usize = 16;

/// `hidden . decoder[c] + bias[c]` for each row and label word, on the host.
///
/// Few numbers come out and the loss is a small difference of them, so the sums are made in f64 wherever the model runs.
///
/// # Shapes
/// hidden `[P or 1, B, H]`, decoder `[P or 1, C, H]`, bias `[P or 1, C, 1]` -> P x B x C numbers, in that order
pub(crate) fn scores(hidden: Tensor<3>, decoder: Tensor<3>, bias: Tensor<3>) -> Scores {
    let [hidden, decoder, bias] = values([hidden, decoder, bias]);
    let [_, rows, width] = hidden.dims;
    let classes = decoder.dims[1];
    let probes = hidden.dims[0].max(decoder.dims[0]).max(bias.dims[0]);
    // A dot product waits for each of its sums, so that even these few are worth all threads.
    let values = (0..probes * rows).into_par_iter().with_min_len(ROWS);
    let values = values.flat_map_iter(|at| {
        let (number, row) = (at / rows, at % rows);
        let probe = Plane { number, of: probes };
        let x = &hidden.plane(probe)[row * width..(row + 1) * width];
        let (decoder, bias) = (decoder.plane(probe), bias.plane(probe));
        let words = decoder.chunks_exact(width).zip(bias);
        words.map(move |(weights, bias)| {
            let terms = x
                .iter()
                .zip(weights)
                .map(|(&x, &w)| f64::from(x) * f64::from(w));
            terms.sum::<f64>() + f64::from(*bias)
        })
    });
    let values = values.collect();
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

    /// One run's, of `of` that went together: its probes, and its first `rows` sentences.
    pub(crate) fn part(&self, number: usize, of: usize, rows: usize) -> Self {
        let probes = self.probes / of;
        let own = number * probes..(number + 1) * probes;
        let values = own
            .flat_map(|probe| (0..rows).map(move |row| (probe, row)))
            .flat_map(|(probe, row)| self.row(probe, row).iter().copied());
        Self {
            values: values.collect(),
            probes,
            rows,
            classes: self.classes,
        }
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

/// Those of several tensors; where they lie on a device it is waited for once.
fn values<const N: usize>(tensors: [Tensor<3>; N]) -> [Values; N] {
    let dims = tensors.each_ref().map(Tensor::dims);
    let mut elements = match Host::of(tensors) {
        Ok(hosts) => hosts.map(Elements::Host).into_iter().collect(),
        Err(tensors) => {
            let copied = read(tensors).into_iter();
            let copied = copied.map(|data| Elements::Copied(data.iter::<f32>().collect()));
            copied.collect::<Vec<Elements>>()
        }
    }
    .into_iter();
    dims.map(|dims| Values {
        elements: elements.next().unwrap_or(Elements::Copied(Vec::new())),
        dims,
    })
}

/// Brings tensors here. Those that autodiff follows come one by one: burn cannot read them together with others.
fn read<const N: usize>(tensors: [Tensor<3>; N]) -> Vec<TensorData> {
    if tensors.iter().any(|tensor| tensor.device().is_autodiff()) {
        return tensors.map(Tensor::into_data).into();
    }
    let all = tensors.into_iter();
    all.fold(Transaction::default(), Transaction::register)
        .execute()
}

impl Values {
    /// The elements as a probe sees them.
    fn plane(&self, probe: Plane) -> &[f32] {
        let [planes, rows, width] = self.dims;
        let plane = probe.among(planes);
        let all = match &self.elements {
            Elements::Host(host) => host.values(),
            Elements::Copied(values) => values,
        };
        &all[plane * rows * width..(plane + 1) * rows * width]
    }
}
