//! Several tensors in one launch, their units numbered through: a launch costs the host as much for one as for all.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// Tensors of a launch at most: each is a piece of its code.
pub(super) const MOST: usize = 96;

/// A tensor and its number among the trained ones.
pub(super) type Numbered = (u32, CubeTensor);

/// A tensor among those of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Its number among the trained ones.
    pub(super) parameter: u32,
    /// Units of the tensors before it.
    pub(super) first: usize,
    /// Its own, at least one.
    pub(super) units: usize,
}

/// The places of tensors whose units make so many elements each, and how many units there are.
pub(super) fn places(tensors: &[Numbered], lanes: usize) -> (Vec<Place>, usize) {
    let mut first = 0;
    let place = |(parameter, tensor): &Numbered| {
        let elements = tensor.meta.num_elements();
        assert!(
            elements > 0 && elements.is_multiple_of(lanes),
            "{elements} elements"
        );
        let place = Place {
            parameter: *parameter,
            first,
            units: elements / lanes,
        };
        first += place.units;
        place
    };
    let places = tensors.iter().map(place).collect();
    (places, first)
}

/// The tensors as arguments of a kernel.
pub(super) fn buffers<N: Size>(tensors: &[Numbered]) -> SequenceArg<Box<[Vector<f32, N>]>> {
    let tensors = tensors.iter().map(|(_, tensor)| tensor.clone());
    tensors.map(CubeTensor::into_buffer_arg).collect()
}

#[allow(clippy::needless_range_loop)] // the loop is unrolled, and the places are no slice there
/// The first unit of the tensor that a unit is in, and the tensor's number among the trained ones.
#[cube]
pub(super) fn found(at: usize, #[comptime] places: Vec<Place>) -> (usize, u32) {
    let mut first = 0usize.runtime();
    let mut parameter = comptime!(places[0].parameter).runtime();
    let count = comptime!(places.len());
    #[unroll]
    for i in 1..count {
        if at >= comptime!(places[i].first) {
            first = comptime!(places[i].first).runtime();
            parameter = comptime!(places[i].parameter).runtime();
        }
    }
    (first, parameter)
}
