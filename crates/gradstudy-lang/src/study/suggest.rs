//! "Did you mean …?"

/// Jaro–Winkler similarity from which a name is worth suggesting: two transposed or one wrong letter in a word
/// of five still reach it, unrelated words of a study do not.
const SIMILAR_ENOUGH: f64 = 0.8;

/// The candidate most like `name`, if any is like it.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let scored = candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&lower, candidate), candidate));
    let best = scored
        .filter(|(score, _)| *score >= SIMILAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(best.1)
}

/// Help for an unknown name: the closest candidate if there is one, and all candidates if they are few.
pub(super) fn help<'a>(name: &str, what: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let guess = closest(name, candidates.iter().copied());
    let known = match candidates.as_slice() {
        [] => format!("there is no {what} to choose from"),
        all => format!("known: {}", listed(all)),
    };
    match guess {
        Some(guess) => format!("did you mean `{guess}`? {known}"),
        None => known,
    }
}

/// `a`, `b`, `c`.
pub(super) fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["momentum", "weight_decay", "nesterov", "lr"];
        assert_eq!(closest("momentun", names), Some("momentum"));
        assert_eq!(closest("weightdecay", names), Some("weight_decay"));
        assert_eq!(closest("Nesterov", names), Some("nesterov"));
        assert_eq!(closest("epochs", names), None);
    }
}
