//! Scores of the label words: a narrow product, summed in f64.

use burn::tensor::{Tensor, TensorData, Transaction};
use rayon::prelude::*;

use super::copies::CopyIndex;
use super::host::Host;

/// Rows of a piece of work.
const ROWS: usize = 16;

/// What scores are made of: `hidden . rows[c] + bias[c]`.
#[derive(Clone)]
pub(crate) struct Readout {
    /// `[P or 1, B, H]`
    pub(crate) hidden: Tensor<3>,
    /// `[P or 1, C, H]`
    pub(crate) rows: Tensor<3>,
    /// `[P or 1, C, 1]`
    pub(crate) bias: Tensor<3>,
}

/// The score of each row and label word, on the host.
///
/// Few numbers come out and the loss is a small difference of them, so the sums are made in f64 wherever the model runs.
///
/// # Shapes
/// -> P x B x C numbers, in that order
pub(crate) fn scores(Readout { hidden, rows, bias }: Readout) -> Scores {
    let [hidden, decoder, bias] = values([hidden, rows, bias]);
    let [_, rows, width] = hidden.dims;
    let classes = decoder.dims[1];
    let probes = hidden.dims[0].max(decoder.dims[0]).max(bias.dims[0]);
    // A dot product waits for each of its sums, so that even these few are worth all threads.
    let values = (0..probes * rows).into_par_iter().with_min_len(ROWS);
    let values = values.flat_map_iter(|at| {
        let (number, row) = (at / rows, at % rows);
        let probe = CopyIndex { number, of: probes };
        let x = &hidden.copy(probe)[row * width..(row + 1) * width];
        let (decoder, bias) = (decoder.copy(probe), bias.copy(probe));
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

    /// One run's, of `of` batched ones: its probes, and its first `rows` sentences.
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
    fn copy(&self, probe: CopyIndex) -> &[f32] {
        let [copies, rows, width] = self.dims;
        let copy = probe.among(copies);
        let all = match &self.elements {
            Elements::Host(host) => host.values(),
            Elements::Copied(values) => values,
        };
        &all[copy * rows * width..(copy + 1) * rows * width]
    }
}
