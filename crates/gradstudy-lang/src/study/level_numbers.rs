//! Labels of levels as numbers, for axes of figures.

/// The numbers that `labels` are, and whether they are percents, `20%` being 0.2; `None` where one is no number, such as
/// `lenet`, `inf` or an empty label. Beside percents a plain number is a fraction.
pub fn numbers(labels: &[&str]) -> Option<(Vec<f64>, bool)> {
    let number = |label: &&str| -> Option<f64> {
        let text = label.trim().replace('_', "");
        let value: f64 = match text.strip_suffix('%') {
            // Divided in decimal, so that 33.3% is 0.333.
            Some(percent) => format!("{}e-2", percent.trim_end()).parse().ok()?,
            None => text.parse().ok()?,
        };
        value.is_finite().then_some(value)
    };
    let values = labels.iter().map(number).collect::<Option<Vec<f64>>>()?;
    let percent = labels.iter().any(|label| label.trim().ends_with('%'));
    Some((values, percent))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn numbers_are_told_from_names() {
        assert_eq!(
            numbers(&["1", "44_426", "1e-3"]),
            Some((vec![1.0, 44_426.0, 1e-3], false))
        );
        assert_eq!(
            numbers(&["0", "33.3%", "80 %"]),
            Some((vec![0.0, 0.333, 0.8], true))
        );
        for no in ["lenet", "", "inf", "nan", "%", "B = 1", "1e-3%"] {
            assert_eq!(numbers(&["1", no]), None, "{no}");
        }
    }
}
