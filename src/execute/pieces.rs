//! A history in the order in which its inner products are added up: rows of G, window by window, and layers by their
//! factors between them.

use std::ops::Range;

use super::ExecuteError;
use super::checkpoint::Checkpoint;
use super::targets::Target;
use crate::plan::route::FactorLayers;
use crate::spectra::SpectrumError;

/// What is added at a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Rows of G.
    Rows(Range<usize>),
    /// A layer, by inputs and output gradients.
    Factors(usize),
}

/// The pieces of a history of `n` rows that `targets` want: at most `height` rows at a time, and `layers` that a target
/// wants by their factors in their places.
pub(super) fn pieces(n: usize, height: usize, layers: &FactorLayers, targets: &[Target]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let windows = |rows: Range<usize>, pieces: &mut Vec<Piece>| {
        let firsts = rows.clone().step_by(height.max(1));
        let windows = firsts.map(|first| first..rows.end.min(first + height.max(1)));
        let wanted = windows.filter(|rows| targets.iter().any(|target| target.wants_rows(rows)));
        pieces.extend(wanted.map(Piece::Rows));
    };
    let mut first = 0;
    for (i, range) in &layers.0 {
        if !targets.iter().any(|target| target.split.factors.contains(i)) {
            continue;
        }
        windows(first..range.start, &mut pieces);
        windows(range.clone(), &mut pieces);
        pieces.push(Piece::Factors(*i));
        first = range.end;
    }
    windows(first..n, &mut pieces);
    pieces
}

/// Adds piece after piece to every target, each by `add(piece, targets)`, from where `checkpoint` left them; `Ok(false)` if
/// cancelled. `failed` makes an error of what the sums' device says.
pub(super) fn by_pieces(
    pieces: &[Piece],
    targets: &mut [Target],
    mut checkpoint: Option<Checkpoint>,
    failed: impl Fn(SpectrumError) -> ExecuteError,
    mut add: impl FnMut(&Piece, &mut [Target]) -> Result<bool, ExecuteError>,
) -> Result<bool, ExecuteError> {
    let done = checkpoint
        .as_mut()
        .map_or(0, |checkpoint| checkpoint.resume(targets));
    for (number, piece) in pieces.iter().enumerate().skip(done) {
        if !add(piece, targets)? {
            return Ok(false);
        }
        if let Some(checkpoint) = checkpoint.as_mut().filter(|_| number + 1 < pieces.len()) {
            checkpoint.save(targets, number + 1).map_err(&failed)?;
        }
    }
    Ok(true)
}

/// Tells ways to divide a history apart: another `--memory` divides it otherwise.
pub(super) fn short_hash(division: &impl std::fmt::Debug) -> String {
    let hash = blake3::hash(format!("{division:?}").as_bytes()).to_hex();
    hash[..10].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::route::Split;
    use crate::spectra::Multiplier;
    use crate::spectra::products::Precision;
    use crate::stats::history_view::HistoryView;
    use crate::stats::monitor::Monitor;
    use crate::store::{Left, read_sealed};

    #[test]
    fn sums_go_on_at_the_last_finished_window() {
        let (n, t, height) = (1000, 20, 128);
        let values: Vec<f32> = (0..n * t).map(|i| ((i * i) as f32).sin()).collect();
        let view = HistoryView::new(&values, n, t);
        let folder = tempfile::tempdir().unwrap();
        let run = |stop_at: usize| {
            let target = |rows| {
                let split = Split {
                    rows,
                    factors: Vec::new(),
                };
                Target::new(split, t, false, Precision::Single, &Multiplier::Host)
            };
            let mut targets = [target(vec![0..n]), target(vec![10..300, 700..800])];
            let pieces = pieces(n, height, &FactorLayers::default(), &targets);
            let path = folder.path().join("sums.safetensors");
            let left = match read_sealed(&path) {
                Left::Whole(bytes) => Some(bytes),
                _ => None,
            };
            let checkpoint = Checkpoint::within(folder.path().to_path_buf(), path, left);
            let mut windows = Vec::new();
            let failed = |error: SpectrumError| unreachable!("the host does not fail: {error}");
            let done = by_pieces(
                &pieces,
                &mut targets,
                Some(checkpoint),
                failed,
                |piece, targets| {
                    let Piece::Rows(rows) = piece else {
                        unreachable!("no layer goes by its factors")
                    };
                    // Every window is kept, however short.
                    windows.push(rows.start);
                    if rows.start == stop_at {
                        return Ok(false);
                    }
                    for target in targets {
                        target
                            .add(view, rows.clone(), rows.start, None, &Monitor::SILENT)
                            .unwrap();
                    }
                    Ok(true)
                },
            );
            (done.unwrap(), windows, targets.map(|target| target.sums.save()))
        };
        let (whole, windows, expected) = run(n);
        assert!(whole && windows[0] == 0);
        std::fs::remove_dir_all(folder.path()).unwrap();
        let (whole, windows, _) = run(3 * height);
        assert!(!whole && windows.len() == 4);
        let (whole, windows, found) = run(n);
        assert!(whole && windows[0] > 0, "began anew: {windows:?}");
        assert_eq!(found, expected);
        // A file that is none of these starts over.
        std::fs::write(folder.path().join("sums.safetensors"), b"damaged").unwrap();
        let (_, windows, found) = run(n);
        assert_eq!((windows[0], found), (0, expected));
    }
}
