//! Markers: a second sign beside the colour, for print in grey and for eyes that see colours alike.

/// A marker's outline around its centre; lengths in units of its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outline {
    /// Radius.
    Circle(f64),
    /// Filled.
    Polygon(&'static [(f64, f64)]),
    /// Two strokes.
    Strokes([[(f64, f64); 2]; 2]),
}

/// What a marker looks like, and what pgfplots calls it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Marker {
    pub outline: Outline,
    pub tex: &'static str,
}

/// Of about the same area; y grows downwards.
const MARKERS: [Marker; 7] = [
    Marker {
        outline: Outline::Circle(1.0),
        tex: "*",
    },
    Marker {
        outline: Outline::Polygon(&[(0.0, -1.3), (1.15, 0.75), (-1.15, 0.75)]),
        tex: "triangle*",
    },
    Marker {
        outline: Outline::Polygon(&[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
        tex: "square*",
    },
    Marker {
        outline: Outline::Polygon(&[(0.0, -1.35), (1.1, 0.0), (0.0, 1.35), (-1.1, 0.0)]),
        tex: "diamond*",
    },
    Marker {
        outline: Outline::Strokes([[(-0.9, -0.9), (0.9, 0.9)], [(-0.9, 0.9), (0.9, -0.9)]]),
        tex: "x",
    },
    Marker {
        outline: Outline::Polygon(&[(0.0, 1.3), (1.15, -0.75), (-1.15, -0.75)]),
        tex: "triangle*, mark options={rotate=180}",
    },
    Marker {
        outline: Outline::Strokes([[(-1.15, 0.0), (1.15, 0.0)], [(0.0, -1.15), (0.0, 1.15)]]),
        tex: "+",
    },
];

/// The marker of condition `index`.
pub(super) fn marker(index: usize) -> Marker {
    MARKERS[index % MARKERS.len()]
}

#[cfg(test)]
mod tests {
    use super::super::palette::COLORS;
    use super::*;

    #[test]
    fn conditions_differ_in_colour_or_marker() {
        let looks: Vec<_> = (0..56)
            .map(|index| (index % COLORS.len(), marker(index).tex))
            .collect();
        for (index, look) in looks.iter().enumerate() {
            assert!(!looks[..index].contains(look), "{index} looks like another");
        }
    }
}
