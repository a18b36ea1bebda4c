//! Fewer points for the same curve.
//!
//! Curves of thousands of points on logarithmic axes put most of them on top of one another. What is left after
//! thinning draws the same picture: every point left out lies within a tolerance of the line through its kept
//! neighbours (Douglas and Peucker, *Cartographica* 10 (1973) 112–122).

/// How far the curve may move, as a fraction of the axes: a sixth of a line's width, so that no corner is seen.
pub const TOLERANCE: f64 = 0.0006;

/// Indices of the points to keep, in order: the first, the last, every one whose removal would move the curve by
/// more than `tolerance`, and as many others as it takes for no two neighbours to be more than `gap` apart where
/// there was a point between them to prevent it (`f64::INFINITY` for a line, which needs none).
///
/// `points` are in the units of the drawing, each axis 0–1.
pub fn thin(points: &[(f64, f64)], tolerance: f64, gap: f64) -> Vec<usize> {
    if points.len() <= 2 {
        return (0..points.len()).collect();
    }
    let mut keep = vec![false; points.len()];
    keep[0] = true;
    keep[points.len() - 1] = true;
    let mut open = vec![(0, points.len() - 1)];
    while let Some((first, last)) = open.pop() {
        let mut worst = (first, tolerance);
        for index in first + 1..last {
            let distance = from_segment(points[index], points[first], points[last]);
            if distance > worst.1 {
                worst = (index, distance);
            }
        }
        if worst.0 != first {
            keep[worst.0] = true;
            open.extend([(first, worst.0), (worst.0, last)]);
        }
    }
    if gap.is_finite() {
        close_gaps(points, gap, &mut keep);
    }
    (0..points.len()).filter(|index| keep[*index]).collect()
}

/// Keeps the last point within `gap` of each kept one, until the next kept one is within it.
fn close_gaps(points: &[(f64, f64)], gap: f64, keep: &mut [bool]) {
    let mut last = 0;
    for index in 1..points.len() {
        if distance(points[last], points[index]) > gap && index - 1 > last {
            keep[index - 1] = true;
            last = index - 1;
        }
        if keep[index] {
            last = index;
        }
    }
}

fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// From `point` to the nearest point of the segment.
fn from_segment(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx * dx + dy * dy;
    let along = match length > 0.0 {
        true => (((point.0 - from.0) * dx + (point.1 - from.1) * dy) / length).clamp(0.0, 1.0),
        false => 0.0,
    };
    distance(point, (from.0 + along * dx, from.1 + along * dy))
}
