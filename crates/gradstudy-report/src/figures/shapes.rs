//! Plane geometry of the drawing, in millimetres; y grows downwards.

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// The point at a fraction of the width from the left and of the height from below.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.left + x * self.width(), self.bottom - y * self.height())
    }

    pub(super) fn holds(&self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    /// Wider by `margin` on every side.
    pub(super) fn grown(&self, margin: f64) -> Rect {
        Rect {
            left: self.left - margin,
            top: self.top - margin,
            right: self.right + margin,
            bottom: self.bottom + margin,
        }
    }
}

/// Cuts a line into dashes of length `on` with `off` between them.
pub(super) fn dashes(line: &[(f64, f64)], on: f64, off: f64) -> Vec<Vec<(f64, f64)>> {
    let mut dashes = Vec::new();
    let (mut drawing, mut left) = (true, on);
    let mut dash: Vec<(f64, f64)> = line.first().copied().into_iter().collect();
    for ends in line.windows(2) {
        let (mut from, to) = (ends[0], ends[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length < left {
                left -= length;
                if drawing {
                    dash.push(to);
                }
                break;
            }
            let part = left / length;
            from = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
            if drawing {
                dash.push(from);
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![from];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
    }
    if drawing && dash.len() > 1 {
        dashes.push(dash);
    }
    dashes
}

/// Points of the line no more than `step` apart.
pub(super) fn sampled(line: &[(f64, f64)], step: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = line.first().copied().into_iter().collect();
    for ends in line.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        let parts = ((to.0 - from.0).hypot(to.1 - from.1) / step)
            .ceil()
            .clamp(1.0, 1e4);
        points.extend((1..=parts as usize).map(|part| {
            let along = part as f64 / parts;
            (from.0 + along * (to.0 - from.0), from.1 + along * (to.1 - from.1))
        }));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_their_share_of_the_line() {
        let line = [(0.0, 0.0), (7.0, 0.0), (7.0, 3.0)];
        let dashes = dashes(&line, 2.0, 1.0);
        assert_eq!(dashes[0], [(0.0, 0.0), (2.0, 0.0)]);
        assert_eq!(
            dashes[2],
            [(6.0, 0.0), (7.0, 0.0), (7.0, 1.0)],
            "a dash goes round the corner"
        );
        assert_eq!(dashes.len(), 4);
        assert!(super::dashes(&[], 2.0, 1.0).is_empty() && super::dashes(&[(1.0, 1.0)], 2.0, 1.0).is_empty());
    }

    #[test]
    fn sampling_leaves_no_gap() {
        let points = sampled(&[(0.0, 0.0), (3.0, 4.0)], 0.6);
        assert!(
            points
                .windows(2)
                .all(|it| (it[1].0 - it[0].0).hypot(it[1].1 - it[0].1) <= 0.6 + 1e-12)
        );
        assert_eq!(points.last(), Some(&(3.0, 4.0)));
    }
}
