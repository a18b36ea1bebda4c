//! Captions that the study does not write.

use super::row_keys::spectrum_words;
use crate::results::Subject;

/// The study's title, and what all `subjects` share but neither title nor the keys `told` say.
pub fn caption<'a>(title: &str, told: &[&str], subjects: impl Iterator<Item = &'a Subject>) -> String {
    let all: Vec<[(&str, String); 6]> = subjects.map(words).collect();
    let Some(first) = all.first() else {
        return title.to_string();
    };
    let plain = plain(title);
    let is_new = |(key, words): &&(&str, String)| {
        let said = plain.contains(&self::plain(words));
        !["", "–"].contains(&words.as_str()) && !told.contains(key) && !said
    };
    let shared = first
        .iter()
        .filter(|it| all.iter().all(|words| words.contains(it)));
    let shared: Vec<&str> = shared.filter(is_new).map(|(_, words)| words.as_str()).collect();
    match shared.is_empty() {
        true => title.to_string(),
        false => format!("{title}: {}", shared.join(", ")),
    }
}

/// What may be said of a subject, by row key.
fn words(subject: &Subject) -> [(&'static str, String); 6] {
    let count = |letter: &str, number: u64| match number {
        // Numbers of a file.
        0 => String::new(),
        number => format!("{letter} = {number}"),
    };
    let training = match subject.training.as_str() {
        "random" => "random weights",
        "pretrain" => "pretrained",
        "loaded" => "loaded weights",
        other => other,
    };
    [
        ("model", subject.model.clone()),
        ("dataset", subject.dataset.clone()),
        ("training", training.to_string()),
        (
            "spectrum",
            subject
                .spectrum
                .as_deref()
                .map_or_else(String::new, spectrum_words),
        ),
        ("batch", count("B", subject.batch)),
        ("iterations", count("T", subject.iterations)),
    ]
}

/// Without case and hyphens, in which titles differ from labels.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(dataset: &str, batch: u64, training: &str) -> Subject {
        Subject {
            dataset: dataset.to_string(),
            model: "LeNet".to_string(),
            training: training.to_string(),
            batch,
            iterations: 5000,
            parameters: 44_426,
            spectrum: None,
            layers: None,
        }
    }

    #[test]
    fn what_all_share_and_nothing_said_twice() {
        let all = [subject("MNIST", 1, "random"), subject("MNIST", 10, "random")];
        let of = |title: &str, told: &[&str]| caption(title, told, all.iter());
        assert_eq!(
            of("Batch size", &["batch"]),
            "Batch size: LeNet, MNIST, random weights, T = 5000"
        );
        // Titles spell it their own way; rows have a column for it.
        assert_eq!(
            of("LeNet, random-weights, on MNIST", &["iterations"]),
            "LeNet, random-weights, on MNIST"
        );
    }

    #[test]
    fn spectra_go_by_their_names_in_prose() {
        let spectrum = |name: &str| Subject {
            spectrum: Some(name.to_string()),
            ..subject("MNIST", 1, "random")
        };
        let of = |name: &str| {
            caption(
                "LeNet, random weights, MNIST",
                &["batch", "iterations"],
                [&spectrum(name)].into_iter(),
            )
        };
        assert!(
            of("gauss_newton").ends_with(": Gauss–Newton"),
            "{}",
            of("gauss_newton")
        );
        assert!(of("second_moment").ends_with(": second moment"));
        assert!(of("fisher").ends_with(": empirical Fisher"));
    }

    #[test]
    fn what_differs_is_left_to_rows() {
        let all = [subject("MNIST", 1, "random"), subject("CIFAR-10", 1, "pretrain")];
        assert_eq!(caption("Two", &[], all.iter()), "Two: LeNet, B = 1, T = 5000");
        assert_eq!(caption("None", &[], [].iter()), "None");
    }
}
