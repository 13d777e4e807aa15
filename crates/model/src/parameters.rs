//! Every weight under the name it has in Hugging Face's files.

use burn::tensor::{Tensor, TensorData};
use mezo_weights::NamedTensor;

use crate::adapters::lora::Lora;
use crate::adapters::prefix::Prefix;
use crate::layers::{LayerNorm, Linear};
use crate::weight::Weight;

/// How a weight lies in a file, beside how this crate keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// The same matrix.
    Same,
    /// `[out, in]` in the file, `[in, out]` here.
    Transposed,
    /// One axis in the file; one row or one column here.
    Flat,
}

impl Stored {
    /// The elements of a `[rows, columns]` weight in the order of a file.
    pub(crate) fn to_file(self, [rows, columns]: [usize; 2], values: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Transposed => transpose(&values, rows, columns),
            Self::Same | Self::Flat => values,
        }
    }

    /// The elements of a file in the order of a `[rows, columns]` weight.
    pub(crate) fn to_memory(self, [rows, columns]: [usize; 2], values: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Transposed => transpose(&values, columns, rows),
            Self::Same | Self::Flat => values,
        }
    }
}

/// Walks a module's weights in a fixed order, once for reading and once for writing.
macro_rules! named_weights {
    ($module:ty, |$self:ident, $prefix:ident, $visit:ident| $read:block, $write:block) => {
        impl $module {
            pub(crate) fn each<'a>(
                &'a $self,
                $prefix: &str,
                $visit: &mut dyn FnMut(String, Stored, &'a Weight),
            ) $read
            pub(crate) fn each_mut(
                &mut $self,
                $prefix: &str,
                $visit: &mut dyn FnMut(String, Stored, &mut Weight),
            ) $write
        }
    };
}

/// The weights of a module, told once: leaves with their name and layout, then nested modules with theirs.
macro_rules! weights {
    ($module:ty { $($leaf:ident : $name:literal $stored:ident),* ; $($inner:ident : $path:literal),* ; $($maybe:ident : $option:literal),* }) => {
        named_weights!($module, |self, prefix, visit| {
            $(visit(format!("{prefix}{}", $name), Stored::$stored, &self.$leaf);)*
            $(self.$inner.each(&format!("{prefix}{}", $path), visit);)*
            $(if let Some(inner) = &self.$maybe { inner.each(&format!("{prefix}{}", $option), visit); })*
        }, {
            $(visit(format!("{prefix}{}", $name), Stored::$stored, &mut self.$leaf);)*
            $(self.$inner.each_mut(&format!("{prefix}{}", $path), visit);)*
            $(if let Some(inner) = &mut self.$maybe { inner.each_mut(&format!("{prefix}{}", $option), visit); })*
        });
    };
}

pub(crate) use named_weights;
pub(crate) use weights;

weights!(Linear { weight: ".weight" Transposed, bias: ".bias" Flat ; ; lora: "" });
weights!(Lora { a: ".lora_A" Transposed, b: ".lora_B" Transposed ; ; });
weights!(LayerNorm { weight: ".weight" Flat, bias: ".bias" Flat ; ; });
weights!(Prefix { keys: ".prefix_key" Same, values: ".prefix_value" Same ; ; });
// A decoder of the head's own is a bare weight: its name is the whole path.
named_weights!(
    Weight,
    |self, prefix, visit| {
        visit(prefix.to_owned(), Stored::Same, self);
    },
    {
        visit(prefix.to_owned(), Stored::Same, self);
    }
);

impl Weight {
    /// Its shape in a file.
    pub(crate) fn file_shape(&self, stored: Stored) -> Vec<usize> {
        let [rows, columns] = self.dims();
        match stored {
            Stored::Same => vec![rows, columns],
            Stored::Transposed => vec![columns, rows],
            Stored::Flat => vec![rows * columns],
        }
    }

    /// Shape and elements as a file holds them.
    fn to_file(&self, stored: Stored) -> (Vec<usize>, Vec<f32>) {
        let values: Vec<f32> = self.value.val().into_data().iter::<f32>().collect();
        (self.file_shape(stored), stored.to_file(self.dims(), values))
    }

    /// As a file holds it.
    pub(crate) fn named(&self, name: String, stored: Stored) -> NamedTensor {
        let (shape, values) = self.to_file(stored);
        NamedTensor {
            name,
            shape,
            values,
        }
    }

    /// Takes the elements of a file; their number must fit.
    pub(crate) fn set_from_file(&mut self, stored: Stored, values: Vec<f32>) {
        let dims = self.dims();
        let values = stored.to_memory(dims, values);
        self.replace(|old| Tensor::from_data(TensorData::new(values, dims), &old.device()));
    }
}

impl Weight {
    /// Writes some rows.
    ///
    /// # Panics
    /// If a row is not as wide as the matrix.
    pub(crate) fn set_rows<'a>(
        &mut self,
        numbers: &[usize],
        rows: impl Iterator<Item = &'a [f32]>,
    ) {
        let [count, columns] = self.dims();
        self.replace(|old| {
            let device = old.device();
            let mut values: Vec<f32> = old.into_data().iter::<f32>().collect();
            for (number, row) in numbers.iter().zip(rows) {
                values[number * columns..(number + 1) * columns].copy_from_slice(row);
            }
            Tensor::from_data(TensorData::new(values, [count, columns]), &device)
        });
    }
}

/// `[rows, columns]` to `[columns, rows]`, in memory: the forward pass wants contiguous rows.
pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for row in 0..rows {
        for column in 0..columns {
            out[column * rows + row] = values[row * columns + column];
        }
    }
    out
}
