//! Probes: perturbed copies of the trainable parameters, seen by the forward pass layer by layer.

use std::borrow::Cow;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::clock::{Clock, Phase, Watch};
use crate::dropout::{Dropout, Masks, Site};
use crate::kernels::perturb;
use crate::noise::{Noise, Probe};

/// The probes that go through one forward pass together: the leading axis `P` of every hidden state.
#[derive(Clone)]
pub struct Probes<'a> {
    noise: &'a dyn Noise,
    probes: Vec<Probe>,
    factors: Option<&'a [f32]>,
    /// In a pass that backpropagation records.
    masks: Option<Masks>,
    clock: Option<&'a Clock>,
}

impl<'a> Probes<'a> {
    /// A forward pass over these probes.
    pub fn new(noise: &'a dyn Noise, probes: Vec<Probe>) -> Self {
        Self {
            noise,
            probes,
            factors: None,
            masks: None,
            clock: None,
        }
    }

    /// The two probes of a two-sided estimate, plus first.
    pub fn two_sided(noise: &'a dyn Noise, seed: u64, eps: f32) -> Self {
        let probe = |scale| Probe { seed, scale };
        Self::new(noise, vec![probe(eps), probe(-eps)])
    }

    /// One probe at the parameters as they are: evaluation.
    pub fn unperturbed() -> Probes<'static> {
        Probes::new(
            &crate::noise::Philox,
            vec![Probe {
                seed: 0,
                scale: 0.0,
            }],
        )
    }

    /// The same probes, every trained tensor perturbed by `scale * factor * z` with a factor of its own (paper, appendix
    /// B.3, Definition 6: its `D^-1`, one over the length of the layer's gradient or parameters).
    ///
    /// `factors` is indexed by position among the trained tensors. A tensor with the factor 0 is not moved and costs
    /// what a frozen one does.
    pub fn with_parameter_scales(mut self, factors: &'a [f32]) -> Self {
        self.factors = Some(factors);
        self
    }

    /// The same probes, the time of their passes told to a clock. Where burn's own operations do the work, it hears of the
    /// noise alone.
    pub fn timed(mut self, clock: &'a Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// What the time of this pass is told to.
    pub(crate) fn watch(&self) -> Watch<'a> {
        Watch(self.clock)
    }

    /// The parameters as they are, with dropout on the way.
    pub(crate) fn dropping(dropout: Option<Dropout>) -> Probes<'static> {
        Probes {
            masks: dropout.map(Masks::new),
            ..Probes::unperturbed()
        }
    }

    /// Hidden states at the next site of dropout.
    pub(crate) fn drop_hidden(&self, x: Tensor<3>) -> Tensor<3> {
        match self.drop_hidden_site() {
            None => x,
            Some(site) => site.drop(x),
        }
    }

    /// The next site of dropout on hidden states, when there is dropout.
    pub(crate) fn drop_hidden_site(&self) -> Option<Site> {
        self.masks.as_ref().and_then(Masks::hidden)
    }

    /// The next site of dropout on attention weights, when there is dropout.
    pub(crate) fn drop_attention(&self) -> Option<Site> {
        self.masks.as_ref().and_then(Masks::attention)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.probes.len()
    }

    /// The weight as each probe sees it.
    ///
    /// # Shapes
    /// weight `[rows, columns]` -> `[P, rows, columns]` where it is trainable and perturbed, else `[1, rows, columns]`
    pub fn view(&self, weight: &Weight) -> Tensor<3> {
        let value = weight.value.val();
        match self.moving(weight) {
            None => value.unsqueeze(),
            Some((parameter, probes)) => self.watch().together(Phase::Noise, || {
                perturb::whole(value, parameter, self.noise, &probes)
            }),
        }
    }

    /// Some rows of the weight as each probe sees them; the other rows cost nothing.
    ///
    /// # Shapes
    /// weight `[rows, columns]`, n row numbers -> `[P or 1, n, columns]`
    pub fn rows(&self, weight: &Weight, rows: &[usize]) -> Tensor<3> {
        let value = weight.value.val();
        match self.moving(weight) {
            None => perturb::rows(value, rows, 0, self.noise, &[]),
            Some((parameter, probes)) => self.watch().together(Phase::Noise, || {
                perturb::rows(value, rows, parameter, self.noise, &probes)
            }),
        }
    }

    /// Where a probe moves the weight: its number among the trainable ones, and the probes with their scales for it.
    fn moving(&self, weight: &Weight) -> Option<(usize, Cow<'_, [Probe]>)> {
        let parameter = weight.parameter?;
        let probes = match self.factors {
            None => Cow::Borrowed(self.probes.as_slice()),
            Some(factors) => {
                let scaled = |probe: &Probe| Probe {
                    scale: probe.scale * factors[parameter],
                    ..*probe
                };
                self.probes.iter().map(scaled).collect()
            }
        };
        let moved = probes.iter().any(|probe| probe.scale != 0.0);
        moved.then_some((parameter, probes))
    }
}

/// A matrix of the model and, where it is trained, its number.
///
/// Vectors are matrices of one row (biases, norms) or of one column (the decoder's bias, whose rows belong to words).
#[derive(Module, Debug)]
pub struct Weight {
    /// The values, `[rows, columns]`; `[in, out]` for a linear layer.
    pub(crate) value: Param<Tensor<2>>,
    /// Position among the trainable parameters: the `parameter` of the noise. None where it is frozen.
    #[module(skip)]
    pub(crate) parameter: Option<usize>,
}

impl Weight {
    /// A frozen weight.
    pub fn new(value: Tensor<2>) -> Self {
        Self {
            value: Param::from_tensor(value),
            parameter: None,
        }
    }

    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        self.value.dims()
    }

    /// How many scalars it holds.
    pub fn len(&self) -> usize {
        self.dims().iter().product()
    }

    /// True when it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts `change(value)` in the value's place; the closure gets the only handle, so it may work in place.
    pub(crate) fn replace(&mut self, change: impl FnOnce(Tensor<2>) -> Tensor<2>) {
        let device = self.value.val().device();
        let empty = Param::from_tensor(Tensor::empty([1, 1], &device));
        let value = std::mem::replace(&mut self.value, empty);
        self.value = value.map(change);
    }
}
