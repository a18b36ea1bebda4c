//! Sixteen samples side by side: the layout that every host kernel works on.
//!
//! An activation of shape (c, y, x) for a group of sixteen samples is stored as `[Lanes]` of length c·y·x, the
//! sample index innermost. Every layer is then the textbook loop over channels and positions with a vector of
//! samples in place of a number: no im2col, no packing, and per-sample weight gradients stay in registers.
//! Lanes never mix, so a sample's gradient does not depend on its neighbours.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use pulp::Simd;

use super::Place;

/// Samples in a group.
pub const LANES: usize = 16;

/// One number for each of sixteen samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

/// The same memory as plain numbers, sixteen per element.
pub fn floats(lanes: &[Lanes]) -> &[f32] {
    bytemuck::cast_slice(lanes)
}

/// The same memory as plain numbers, sixteen per element.
pub fn floats_mut(lanes: &mut [Lanes]) -> &mut [f32] {
    bytemuck::cast_slice_mut(lanes)
}

/// The lanes as vectors of the CPU at hand, [`vectors_per_lanes`] for each element.
#[inline(always)]
pub fn vectors<S: Simd>(lanes: &[Lanes]) -> &[S::f32s] {
    S::as_simd_f32s(floats(lanes)).0
}

/// The lanes as vectors of the CPU at hand, to write to.
#[inline(always)]
pub fn vectors_mut<S: Simd>(lanes: &mut [Lanes]) -> &mut [S::f32s] {
    S::as_mut_simd_f32s(floats_mut(lanes)).0
}

/// How many CPU vectors hold sixteen samples: 1 with AVX-512, 2 with AVX2.
#[inline(always)]
pub fn vectors_per_lanes<S: Simd>() -> usize {
    LANES / S::F32_LANES
}

/// The lanes of a group that belong to one minibatch, and where their gradient goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Lanes of the group.
    pub lanes: Range<usize>,
    /// Index of the minibatch within the block of columns at hand.
    pub column: usize,
    /// Whether these are the minibatch's first samples: the column is then set, else added to.
    pub first: bool,
}

/// Sums each parameter's lanes over each segment into the segment's column at `place`.
pub fn scatter(lanes: &[Lanes], segments: &[Segment], columns: &mut [f32], place: Place) {
    for segment in segments {
        let column = &mut columns[segment.column * place.stride + place.offset..][..lanes.len()];
        for (value, lanes) in column.iter_mut().zip(lanes) {
            let sum: f32 = lanes.0[segment.lanes.clone()].iter().sum();
            *value = if segment.first { sum } else { *value + sum };
        }
    }
}
