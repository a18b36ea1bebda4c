//! What is lost where the numbers of a user's own file become float32, as gradient histories are.

/// Looks at the iterations of a history as they are read in float64.
#[derive(Debug, Default)]
pub struct Rounding {
    /// The first iteration, and whether each parameter differs from it in float64 and in float32.
    first: Vec<f64>,
    differs: Vec<[bool; 2]>,
    /// Iterations whose values differ from each other in float64 and not in float32.
    iterations: u64,
    /// Whole numbers that float32 does not hold.
    whole: u64,
}

impl Rounding {
    /// Adds the values of one iteration; the first one that is finite and too large for float32, if there is one.
    pub fn add(&mut self, values: &[f64]) -> Option<f64> {
        if self.first.is_empty() {
            self.first = values.to_vec();
            self.differs = vec![[false; 2]; values.len()];
        }
        let differ = |a: f64, b: f64| [a != b, a as f32 != b as f32];
        let mut along = [false; 2];
        for ((&value, &first), parameter) in values.iter().zip(&self.first).zip(&mut self.differs) {
            let narrow = value as f32;
            if narrow.is_infinite() && value.is_finite() {
                return Some(value);
            }
            self.whole += u64::from(value.fract() == 0.0 && f64::from(narrow) != value);
            for (any, now) in along.iter_mut().zip(differ(value, values[0])) {
                *any |= now;
            }
            for (any, now) in parameter.iter_mut().zip(differ(value, first)) {
                *any |= now;
            }
        }
        self.iterations += u64::from(along == [true, false]);
        None
    }

    /// What the user should know, in a sentence without a full stop; `None` where nothing of weight was lost.
    pub fn note(&self) -> Option<String> {
        let parameters = self
            .differs
            .iter()
            .filter(|differs| **differs == [true, false])
            .count();
        let mut lost = Vec::new();
        if self.iterations > 0 {
            lost.push(format!("{} iterations have equal values", self.iterations));
        }
        if parameters > 0 {
            lost.push(format!(
                "{parameters} parameters have equal values in all iterations"
            ));
        }
        if self.whole > 0 {
            lost.push(format!("{} whole numbers are rounded", self.whole));
        }
        let test = "histories are float32; `gradstudy test FILE` takes the numbers in float64";
        (!lost.is_empty()).then(|| format!("in float32 {}: {test}", lost.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::Rounding;

    #[test]
    fn what_float32_does_not_hold_is_said() {
        let mut fine = Rounding::default();
        assert_eq!(fine.add(&[0.1, 0.2, f64::NAN, f64::INFINITY]), None);
        assert_eq!(fine.add(&[0.1, 0.3, 1.0, 2.0]), None);
        assert_eq!(fine.note(), None);
        let near = |k: u32| 1.0 + f64::from(k) * f64::EPSILON;
        let mut lost = Rounding::default();
        lost.add(&[near(1), near(2), 16_777_217.0]);
        lost.add(&[near(3), near(2), 16_777_217.0]);
        lost.add(&[near(1), near(1), near(2)]);
        let note = lost.note().unwrap();
        assert!(
            note.contains("1 iterations have equal values, 2 parameters"),
            "{note}"
        );
        assert!(note.contains("2 whole numbers are rounded"), "{note}");
        assert_eq!(Rounding::default().add(&[1.0, -1e39]), Some(-1e39));
    }
}
