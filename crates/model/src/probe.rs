//! Probes: perturbed copies of the trainable parameters, seen by the forward pass layer by layer.

use std::borrow::Cow;

use burn::tensor::{FloatDType, Tensor};

use crate::clock::{Clock, Phase, Watch};
use crate::dropout::{Dropout, Masks, Site};
use crate::noise::{Noise, Probe};
use crate::ops::perturb;
use crate::ops::trained::{Moved, Run};
use crate::ops::{Products, joined};
use crate::weight::Weight;

/// The probes that go through one forward pass together: the leading axis `P` of every hidden state.
#[derive(Clone)]
pub struct Probes<'a> {
    noise: &'a dyn Noise,
    /// One run's, or those of batched ones.
    shares: Vec<Share<'a>>,
    /// Perturbed copies that were made ahead, by the weight's number.
    made: Vec<Option<Tensor<3>>>,
    /// In a pass that backpropagation records.
    masks: Option<Masks>,
    clock: Option<&'a Clock>,
    /// The model's whose pass it is.
    products: Products,
}

/// The probes of one run.
#[derive(Clone)]
struct Share<'a> {
    probes: Vec<Probe>,
    factors: Option<&'a [f32]>,
    /// What the run trains, by number, where it is not the model's that makes the pass.
    values: Option<Vec<Tensor<2>>>,
}

impl<'a> Probes<'a> {
    /// A forward pass over these probes.
    pub fn new(noise: &'a dyn Noise, probes: Vec<Probe>) -> Self {
        Self {
            noise,
            shares: vec![Share {
                probes,
                factors: None,
                values: None,
            }],
            made: Vec::new(),
            masks: None,
            clock: None,
            products: Products::F32,
        }
    }

    /// The probes of several runs, each around its own trained values; noise and clock are the first one's.
    pub(crate) fn batched<'p>(
        runs: impl Iterator<Item = (Vec<Tensor<2>>, &'p Self)>,
    ) -> Option<Self>
    where
        'a: 'p,
    {
        let mut all: Option<Self> = None;
        for (values, own) in runs {
            let shares = own.shares.iter().map(|share| Share {
                values: Some(values.clone()),
                ..share.clone()
            });
            match &mut all {
                Some(all) => all.shares.extend(shares),
                None => {
                    all = Some(Self {
                        shares: shares.collect(),
                        ..own.clone()
                    });
                }
            }
        }
        all
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
        for share in &mut self.shares {
            share.factors = Some(factors);
        }
        self
    }

    /// The same probes, the time of their passes told to a clock. Where burn's own operations do the work, it hears of the
    /// noise alone.
    pub fn timed(mut self, clock: &'a Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The same probes in a pass with such products.
    pub(crate) fn with(&self, products: Products) -> Self {
        Self {
            products,
            ..self.clone()
        }
    }

    /// The same with the perturbed copies of these weights made ahead, where a device makes them at once. They are held as long as
    /// the probes: for small weights.
    pub(crate) fn ahead(mut self, weights: &[&Weight]) -> Self {
        let moves = |share: &Share<'_>| share.probes.iter().any(|probe| probe.scale != 0.0);
        let plain = |share: &Share<'_>| share.factors.is_none() && moves(share);
        let trained = weights.iter().filter_map(|&it| Some((it, it.parameter?)));
        let (weights, numbers): (Vec<&Weight>, Vec<usize>) = trained.unzip();
        let (Some(first), true) = (weights.first(), self.shares.iter().all(plain)) else {
            return self;
        };
        let run = |share| {
            let numbered = weights.iter().zip(&numbers);
            Run {
                thetas: numbered
                    .map(|(it, &number)| Share::theta(share, it, number))
                    .collect(),
                probes: &share.probes,
            }
        };
        let runs: Vec<Run<'_>> = self.shares.iter().map(run).collect();
        let made = self.making(first, || perturb::at_once(&runs, &numbers, self.noise));
        for (number, made) in numbers.into_iter().zip(made.into_iter().flatten()) {
            if self.made.len() <= number {
                self.made.resize(number + 1, None);
            }
            self.made[number] = Some(made);
        }
        self
    }

    /// What products of the pass read.
    pub(crate) fn products(&self) -> Products {
        self.products
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
        self.shares.iter().map(|share| share.probes.len()).sum()
    }

    /// The weight as each probe sees it.
    ///
    /// # Shapes
    /// weight `[rows, columns]` -> `[P, rows, columns]` where it is trainable and perturbed, else `[1, rows, columns]`
    pub fn view(&self, weight: &Weight) -> Tensor<3> {
        let made = weight.parameter.and_then(|number| self.made.get(number));
        if let Some(made) = made.and_then(Option::as_ref) {
            return made.clone();
        }
        match self.moving(weight) {
            Seen::Still(values) => joined(values.into_iter().map(Tensor::unsqueeze)),
            Seen::Moving(parameter, moved) => self.making(weight, || {
                perturb::whole(moved, parameter, self.noise, FloatDType::F32)
            }),
        }
    }

    /// The weight as each probe sees it, for the products of a linear layer, and there in the numbers that they read.
    ///
    /// # Shapes
    /// as [`Self::view`]
    pub(crate) fn operand(&self, weight: &Weight) -> Tensor<3> {
        let Some(dtype) = self.products.narrow_on(&weight.value.val()) else {
            return self.view(weight);
        };
        match self.moving(weight) {
            Seen::Still(_) if weight.parameter.is_none() => weight.narrow(dtype).unsqueeze(),
            Seen::Still(_) => self.view(weight),
            Seen::Moving(parameter, moved) => self.making(weight, || {
                perturb::whole(moved, parameter, self.noise, dtype)
            }),
        }
    }

    /// A table in which these rows are found as each probe sees them, and where each of them lies in it. Where a probe moves the
    /// weight, the table has those rows alone; the others cost nothing.
    ///
    /// # Shapes
    /// weight `[rows, columns]`, n row numbers -> `[P or 1, U, columns]`, n numbers below U
    pub(crate) fn table(&self, weight: &Weight, rows: Vec<usize>) -> (Tensor<3>, Vec<usize>) {
        if let Seen::Still(_) = self.moving(weight) {
            return (self.view(weight), rows);
        }
        let mut used = rows.clone();
        used.sort_unstable();
        used.dedup();
        // Every row is among those used, so the search's two outcomes mean the same.
        let place = |row: &usize| used.binary_search(row).unwrap_or_else(|place| place);
        let places = rows.iter().map(place).collect();
        (self.rows(weight, &used), places)
    }

    /// Some rows of the weight as each probe sees them; the other rows cost nothing.
    ///
    /// # Shapes
    /// weight `[rows, columns]`, n row numbers -> `[P or 1, n, columns]`
    pub fn rows(&self, weight: &Weight, rows: &[usize]) -> Tensor<3> {
        match self.moving(weight) {
            Seen::Still(values) => {
                joined(values.into_iter().map(|value| perturb::picked(value, rows)))
            }
            Seen::Moving(parameter, moved) => {
                self.making(weight, || perturb::rows(moved, rows, parameter, self.noise))
            }
        }
    }

    /// Makes perturbed copies of a weight, by the clock where there is one.
    fn making<T>(&self, weight: &Weight, make: impl FnOnce() -> T) -> T {
        let wait = || {
            // What cannot be waited for fails where its numbers are read.
            let _ = weight.value.val().device().sync();
        };
        self.watch().there(Phase::Noise, wait, make)
    }

    /// What the probes make of a weight.
    fn moving(&self, weight: &Weight) -> Seen<'_> {
        let Some(parameter) = weight.parameter else {
            return Seen::Still(vec![weight.value.val()]);
        };
        let moved = self
            .shares
            .iter()
            .map(|share| share.moved(weight, parameter));
        let moved: Vec<Moved<'_>> = moved.collect();
        match moved.iter().any(Moved::is_moved) {
            true => Seen::Moving(parameter, moved),
            false => Seen::Still(moved.into_iter().map(|moved| moved.theta).collect()),
        }
    }
}

/// A weight as a pass sees it.
enum Seen<'a> {
    /// As it is, once for all probes, or once for each run.
    Still(Vec<Tensor<2>>),
    /// Its number among the trained ones, and what each run's probes make of its own.
    Moving(usize, Vec<Moved<'a>>),
}

impl Share<'_> {
    /// The run's own values of a trained weight.
    fn theta(&self, weight: &Weight, parameter: usize) -> Tensor<2> {
        match &self.values {
            None => weight.value.val(),
            Some(values) => values[parameter].clone(),
        }
    }

    /// A trained weight and the probes with their scales for it.
    fn moved(&self, weight: &Weight, parameter: usize) -> Moved<'_> {
        let theta = self.theta(weight, parameter);
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
        Moved { theta, probes }
    }
}
