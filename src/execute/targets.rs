//! The sums that spectra of one history are made of, each over its rows of θ.

use std::ops::Range;

use crate::models::Network;
use crate::models::parts::{Layout, Part};
use crate::plan::route::Split;
use crate::spectra::factors::Factors;
use crate::spectra::gram::GramAccumulator;
use crate::spectra::moments::Moments;
use crate::spectra::products::Precision;
use crate::spectra::{Multiplier, SpectrumError};
use crate::stats::history_view::HistoryView;
use crate::stats::monitor::Monitor;

/// The sums over some rows of θ.
pub(super) struct Target {
    /// Rows of G that are multiplied, and layers that are added by their factors.
    pub split: Split,
    pub sums: GramAccumulator,
}

impl Target {
    /// Sums that are made where `multiplier` says.
    pub fn new(
        split: Split,
        samples: usize,
        centred: bool,
        precision: Precision,
        multiplier: &Multiplier,
    ) -> Self {
        let sums = GramAccumulator::new(samples, centred, precision).on(multiplier);
        Target { split, sums }
    }

    /// Adds what it wants of parameters `held`, which are the rows from `offset` on of `view`.
    pub fn add(
        &mut self,
        view: HistoryView,
        held: Range<usize>,
        offset: usize,
        centre: Option<&[f32]>,
        monitor: &Monitor,
    ) -> Result<bool, SpectrumError> {
        for range in &self.split.rows {
            let part = range.start.max(held.start)..range.end.min(held.end);
            if part.is_empty() {
                continue;
            }
            let place = |parameter: usize| parameter - held.start + offset;
            let centre = centre.map(|centre| &centre[part.clone()]);
            let rows = place(part.start)..place(part.end);
            if !self
                .sums
                .add_parameters(view, rows, part.start, centre, monitor)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds layer `i` of `network` by its factors, if it wants it so.
    pub fn add_factors(
        &mut self,
        network: &Network,
        i: usize,
        (layout, columns): (&Layout, &[f32]),
        centre: Option<&[f32]>,
        monitor: &Monitor,
    ) -> Result<bool, SpectrumError> {
        if !self.split.factors.contains(&i) {
            return Ok(true);
        }
        let placed = &network.layers[i];
        let (inputs, outputs) = placed.layer.outer_product().expect("a layer with factors");
        let factors = Factors {
            columns,
            stride: layout.stride,
            offset: layout.offsets[i],
            batch: layout.batch,
            inputs,
            outputs,
            parameter: placed.range.start,
        };
        let centre = centre.map(|centre| &centre[placed.range.clone()]);
        self.sums.add_factors(factors, centre, monitor)
    }

    pub fn wants_rows(&self, held: &Range<usize>) -> bool {
        let overlaps = |rows: &Range<usize>| rows.start < held.end && held.start < rows.end;
        self.split.rows.iter().any(overlaps)
    }
}

/// The finished sums of `targets`.
pub(super) fn finish(targets: Vec<Target>) -> Result<Vec<Moments>, SpectrumError> {
    targets.into_iter().map(|target| target.sums.finish()).collect()
}

/// Adds a pass's parts to every target; `Ok(false)` if cancelled.
pub(super) fn add_pass(
    network: &Network,
    iterations: usize,
    (layout, columns): (&Layout, &[f32]),
    centre: Option<&[f32]>,
    targets: &mut [Target],
    monitor: &Monitor,
) -> Result<bool, SpectrumError> {
    let view = HistoryView::new(columns, layout.stride, iterations);
    for (i, placed) in network.layers.iter().enumerate() {
        let held = &placed.range;
        let added = match layout.parts[i] {
            Part::Absent => true,
            Part::Rows => add_rows(targets, view, held, layout.offsets[i], centre, monitor)?,
            Part::Factors => {
                let factors = (layout, columns);
                add_factors(targets, network, i, factors, centre, monitor)?
            }
        };
        if !added {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds parameters `held`, the rows from `offset` on of `view`, to every target that wants rows of them.
pub(super) fn add_rows(
    targets: &mut [Target],
    view: HistoryView,
    held: &Range<usize>,
    offset: usize,
    centre: Option<&[f32]>,
    monitor: &Monitor,
) -> Result<bool, SpectrumError> {
    for target in targets {
        if !target.add(view, held.clone(), offset, centre, monitor)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds a layer by its factors to every target that wants it so.
pub(super) fn add_factors(
    targets: &mut [Target],
    network: &Network,
    layer: usize,
    factors: (&Layout, &[f32]),
    centre: Option<&[f32]>,
    monitor: &Monitor,
) -> Result<bool, SpectrumError> {
    for target in targets {
        if !target.add_factors(network, layer, factors, centre, monitor)? {
            return Ok(false);
        }
    }
    Ok(true)
}
