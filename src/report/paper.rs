//! The numbers that Xie et al. (NeurIPS 2023, arXiv 2212.02083) print in Tables 1 to 11, as data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::results::Subject;
use crate::stats::outcome::Direction;

/// The paper's tables by number.
#[derive(Debug)]
pub struct Paper {
    tables: BTreeMap<u32, PaperTable>,
}

/// One table as printed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperTable {
    pub title: String,
    /// What the caption says of every row.
    fixed: PaperRow,
    rows: Vec<PaperRow>,
}

/// One row as printed; percents are percents here. A field that the table does not print is `None`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaperRow {
    pub dataset: Option<String>,
    pub model: Option<String>,
    pub training: Option<String>,
    pub sg_type: Option<Direction>,
    pub batch: Option<u64>,
    pub iterations: Option<u64>,
    /// Points that the test looks at (K).
    pub top: Option<u64>,
    pub sample_size: Option<u64>,
    /// What else is special about the row, such as `Label Noise 40%`.
    pub setting: Option<String>,
    pub dks: Option<f64>,
    pub dc: Option<f64>,
    /// Verdict of the KS test.
    pub power_law: Option<bool>,
    /// Percent.
    pub power_law_rate: Option<f64>,
    /// Zipf exponent.
    pub s: Option<f64>,
    pub p: Option<f64>,
    /// Percent.
    pub gaussian_rate: Option<f64>,
    /// Believed to be a misprint; kept as printed.
    pub suspect: bool,
}

static EMBEDDED: LazyLock<Paper> = LazyLock::new(|| {
    // The text is part of the program, and a test reads it: that it parses is not up to the user.
    Paper::parse(include_str!("../../references/xie2023.yaml"))
        .expect("references/xie2023.yaml is well formed")
});

impl Paper {
    /// The tables that gradstudy carries (`references/xie2023.yaml`).
    pub fn embedded() -> &'static Paper {
        &EMBEDDED
    }

    fn parse(text: &str) -> Result<Paper, serde_yaml::Error> {
        let named: BTreeMap<String, PaperTable> = serde_yaml::from_str(text)?;
        let number = |name: &str| name.strip_prefix("table").and_then(|digits| digits.parse().ok());
        let tables = named
            .into_iter()
            .map(|(name, table)| match number(&name) {
                Some(number) => Ok((number, table)),
                None => Err(serde::de::Error::custom(format!(
                    "`{name}` is not `table` and a number"
                ))),
            })
            .collect::<Result<_, serde_yaml::Error>>()?;
        Ok(Paper { tables })
    }

    /// Table `number`, if the paper has it.
    pub fn table(&self, number: u32) -> Option<&PaperTable> {
        self.tables.get(&number)
    }

    /// The numbers of all tables.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.tables.keys().copied()
    }
}

impl PaperTable {
    /// The row that says the same of its subject as ours: data set, model, training, batch size, iterations,
    /// direction, and, where the paper names a special setting, a level of that name.
    ///
    /// What the paper does not state does not have to match. Several rows may fit where the paper prints two of
    /// the same description (Table 11); then there is no telling which is meant, and none is returned.
    pub fn find(
        &self,
        subject: &Subject,
        direction: Direction,
        levels: &[(String, String)],
    ) -> Option<&PaperRow> {
        let fitting: Vec<_> = self
            .rows
            .iter()
            .filter(|row| self.fits(row, subject, direction, levels))
            .collect();
        let special: Vec<_> = fitting
            .iter()
            .copied()
            .filter(|row| row.setting.is_some())
            .collect();
        match if special.is_empty() {
            &fitting[..]
        } else {
            &special[..]
        } {
            [row] => Some(row),
            _ => None,
        }
    }

    fn fits(
        &self,
        row: &PaperRow,
        subject: &Subject,
        direction: Direction,
        levels: &[(String, String)],
    ) -> bool {
        let fixed = &self.fixed;
        let word = |row: &Option<String>, fixed: &Option<String>, ours: &str| {
            row.as_ref()
                .or(fixed.as_ref())
                .is_none_or(|theirs| same_word(theirs, ours))
        };
        let number =
            |row: Option<u64>, fixed: Option<u64>, ours: u64| row.or(fixed).is_none_or(|it| it == ours);
        let setting = |setting: &String| levels.iter().any(|(_, level)| same_word(setting, level));
        word(&row.dataset, &fixed.dataset, &subject.dataset)
            && word(&row.model, &fixed.model, &subject.model)
            && word(&row.training, &fixed.training, &subject.training)
            && number(row.batch, fixed.batch, subject.batch)
            && number(row.iterations, fixed.iterations, subject.iterations)
            && row
                .sg_type
                .or(fixed.sg_type)
                .is_none_or(|theirs| theirs == direction)
            && row.setting.as_ref().is_none_or(setting)
    }

    /// What the caption fixes for all rows, such as `LeNet, batch 100, 5000 iterations`.
    pub fn fixed_settings(&self) -> Vec<String> {
        let fixed = &self.fixed;
        let mut said: Vec<String> = [&fixed.dataset, &fixed.model]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        said.extend(fixed.batch.map(|batch| format!("batch {batch}")));
        said.extend(
            fixed
                .iterations
                .map(|iterations| format!("{iterations} iterations")),
        );
        said
    }
}

/// Whether two names are the same but for case and punctuation (`CIFAR-10`, `cifar10`).
fn same_word(left: &str, right: &str) -> bool {
    let letters = |text: &str| -> Vec<char> {
        text.chars()
            .filter(|it| it.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    letters(left) == letters(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(dataset: &str, training: &str, batch: u64) -> Subject {
        Subject {
            dataset: dataset.into(),
            model: "LeNet".into(),
            training: training.into(),
            batch,
            iterations: 5000,
            parameters: 44_426,
            spectrum: None,
        }
    }

    /// The eight rows of Table 1, copied by eye from the paper's text.
    #[test]
    fn table_1_is_as_printed() {
        use Direction::{Dimension, Iteration};
        let printed = [
            ("MNIST", "random", Dimension, 0.0355, 76.6, 4.11e-4, 0.18),
            ("MNIST", "random", Iteration, 0.191, 0.0788, 0.321, 65.1),
            ("MNIST", "pretrain", Dimension, 0.0401, 60.6, 5.77e-4, 0.24),
            ("MNIST", "pretrain", Iteration, 0.179, 0.052, 0.306, 62.0),
            ("CIFAR-10", "random", Dimension, 0.0330, 81.8, 1.03e-3, 0.3),
            ("CIFAR-10", "random", Iteration, 0.574, 0.0, 0.337, 66.8),
            ("CIFAR10", "pretrain", Dimension, 0.0381, 69.2, 4.01e-5, 0.0),
            ("cifar-10", "pretrain", Iteration, 0.654, 0.0, 0.275, 56.6),
        ];
        let table = Paper::embedded().table(1).expect("in the paper");
        for (dataset, training, direction, dks, power_law_rate, p, gaussian_rate) in printed {
            let row = table
                .find(&subject(dataset, training, 100), direction, &[])
                .expect(dataset);
            assert_eq!((row.dks, row.dc, row.p), (Some(dks), Some(0.0430), Some(p)));
            assert_eq!(
                (row.power_law_rate, row.gaussian_rate),
                (Some(power_law_rate), Some(gaussian_rate))
            );
        }
    }

    #[test]
    fn a_row_must_say_the_same() {
        let table = Paper::embedded().table(1).expect("in the paper");
        let fits = |subject: &Subject| table.find(subject, Direction::Dimension, &[]).is_some();
        let ours = subject("MNIST", "random", 100);
        assert!(fits(&ours));
        assert!(!fits(&Subject {
            batch: 10,
            ..ours.clone()
        }));
        assert!(!fits(&Subject {
            iterations: 500,
            ..ours.clone()
        }));
        assert!(!fits(&Subject {
            model: "FCN".into(),
            ..ours.clone()
        }));
        assert!(!fits(&Subject {
            training: "loaded".into(),
            ..ours.clone()
        }));
        assert!(!fits(&Subject {
            dataset: "Fashion-MNIST".into(),
            ..ours
        }));
    }

    #[test]
    fn batch_and_setting_tell_rows_apart() {
        let table4 = Paper::embedded().table(4).expect("in the paper");
        let row = table4.find(&subject("MNIST", "random", 300), Direction::Iteration, &[]);
        assert_eq!(row.and_then(|row| row.gaussian_rate), Some(74.5));
        let table7 = Paper::embedded().table(7).expect("in the paper");
        let ours = subject("MNIST", "pretrain", 1);
        let noisy = [("labels".to_string(), "label noise (40 %)".to_string())];
        // Without the level only the plain row fits; with it, the row that names it is the closer one.
        assert_eq!(
            table7
                .find(&ours, Direction::Dimension, &[])
                .and_then(|row| row.s),
            Some(1.299)
        );
        assert_eq!(
            table7
                .find(&ours, Direction::Dimension, &noisy)
                .and_then(|row| row.s),
            Some(1.453)
        );
    }

    #[test]
    fn rows_of_one_description_are_not_guessed_between() {
        let table = Paper::embedded().table(11).expect("in the paper");
        assert!(
            table
                .find(&subject("CIFAR-100", "pretrain", 1), Direction::Dimension, &[])
                .is_none()
        );
    }

    #[test]
    fn all_eleven_tables_are_there() {
        assert_eq!(
            Paper::embedded().numbers().collect::<Vec<_>>(),
            (1..=11).collect::<Vec<_>>()
        );
    }
}
