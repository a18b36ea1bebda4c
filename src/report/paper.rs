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
    /// The spectrum tested.
    pub spectrum: Option<String>,
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

/// What a row of ours says of itself, for finding the paper's row of the same.
#[derive(Debug)]
pub struct Description<'a> {
    pub subject: &'a Subject,
    pub direction: Direction,
    /// Levels of factors that the subject does not show, such as the label noise.
    pub settings: Vec<&'a str>,
    /// d_c of its power-law test.
    pub critical_distance: Option<f64>,
}

/// Levels that say that nothing is special.
pub const PLAIN: [&str; 6] = ["none", "clean", "plain", "default", "no", "off"];

impl PaperTable {
    /// The row that says the same of its subject as ours: data set, model, training, batch size, iterations,
    /// direction, spectrum, critical distance and special setting.
    ///
    /// What the paper does not state does not have to match. It prints nothing of single layers. A setting of ours is the row's `setting`, or a name of
    /// its model (`2Layer-FCN`), or one of [`PLAIN`], or repeats what the subject says; a row of any other setting
    /// has no row in the paper. Several rows may fit where the paper prints two of the same description (Table 11);
    /// then there is no telling which is meant, and none is returned.
    pub fn find(&self, ours: &Description) -> Option<&PaperRow> {
        let mut fitting = self.rows.iter().filter(|row| self.fits(row, ours));
        match (fitting.next(), fitting.next()) {
            (Some(row), None) => Some(row),
            _ => None,
        }
    }

    fn fits(&self, row: &PaperRow, ours: &Description) -> bool {
        let (fixed, subject) = (&self.fixed, ours.subject);
        let word = |row: &Option<String>, fixed: &Option<String>, ours: &[&str]| {
            row.as_ref()
                .or(fixed.as_ref())
                .is_none_or(|theirs| ours.iter().any(|ours| same_word(theirs, ours)))
        };
        let number =
            |row: Option<u64>, fixed: Option<u64>, ours: u64| row.or(fixed).is_none_or(|it| it == ours);
        let mut models = vec![subject.model.as_str()];
        models.extend(&ours.settings);
        subject.layers.is_none()
            && word(&row.dataset, &fixed.dataset, &[&subject.dataset])
            && word(&row.model, &fixed.model, &models)
            && word(&row.training, &fixed.training, &[&subject.training])
            && word(&row.spectrum, &fixed.spectrum, &[subject.spectrum.as_deref().unwrap_or_default()])
            && number(row.batch, fixed.batch, subject.batch)
            && number(row.iterations, fixed.iterations, subject.iterations)
            && row
                .sg_type
                .or(fixed.sg_type)
                .is_none_or(|theirs| theirs == ours.direction)
            // Printed with four decimals.
            && (row.dc.zip(ours.critical_distance)).is_none_or(|(theirs, ours)| (theirs - ours).abs() < 1e-4)
            && self.settings_fit(row, ours)
    }

    fn settings_fit(&self, row: &PaperRow, ours: &Description) -> bool {
        let is =
            |word: &Option<String>, setting: &str| word.as_ref().is_some_and(|it| same_word(it, setting));
        let subject = ours.subject;
        let repeats = |setting: &str| {
            [&subject.dataset, &subject.model, &subject.training]
                .into_iter()
                .chain(&subject.spectrum)
                .any(|word| same_word(word, setting))
                || [subject.batch, subject.iterations]
                    .iter()
                    .any(|it| same_word(&it.to_string(), setting))
        };
        let explained = |setting: &&str| {
            is(&row.setting, setting)
                || is(&row.model, setting)
                || is(&self.fixed.model, setting)
                || repeats(setting)
                || PLAIN.iter().any(|plain| same_word(plain, setting))
        };
        (row.setting.is_none() || ours.settings.iter().any(|setting| is(&row.setting, setting)))
            && ours.settings.iter().all(explained)
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
            layers: None,
        }
    }

    fn find<'a>(
        table: &'a PaperTable,
        subject: &Subject,
        direction: Direction,
        settings: &[&str],
    ) -> Option<&'a PaperRow> {
        table.find(&Description {
            subject,
            direction,
            settings: settings.to_vec(),
            critical_distance: Some(0.043007),
        })
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
            let row = find(table, &subject(dataset, training, 100), direction, &[]).expect(dataset);
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
        let fits = |subject: &Subject| find(table, subject, Direction::Dimension, &[]).is_some();
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

    fn spectrum(spectrum: &str, training: &str, batch: u64) -> Subject {
        Subject {
            spectrum: Some(spectrum.into()),
            ..subject("MNIST", training, batch)
        }
    }

    #[test]
    fn batch_and_setting_tell_rows_apart() {
        let table4 = Paper::embedded().table(4).expect("in the paper");
        let row = find(
            table4,
            &subject("MNIST", "random", 300),
            Direction::Iteration,
            &[],
        );
        assert_eq!(row.and_then(|row| row.gaussian_rate), Some(74.5));
        let table7 = Paper::embedded().table(7).expect("in the paper");
        let ours = spectrum("covariance", "pretrain", 1);
        let s = |settings: &[&str]| find(table7, &ours, Direction::Spectrum, settings).and_then(|row| row.s);
        assert_eq!(s(&[]), Some(1.299));
        assert_eq!(s(&["Clean"]), Some(1.299));
        assert_eq!(s(&["label noise (40 %)"]), Some(1.453));
        assert_eq!(s(&["GradClip = 0.1", "none"]), Some(1.343));
        // What the paper did not try has no row, and least of all the plain one.
        assert_eq!(s(&["Label Noise 60%"]), None);
        assert_eq!(s(&["Label Noise 40%", "GradClip=1"]), None);
        let second = spectrum("second_moment", "pretrain", 1);
        assert!(
            find(table7, &second, Direction::Spectrum, &[]).is_none(),
            "another spectrum"
        );
    }

    #[test]
    fn rows_tested_otherwise_are_others() {
        let table = Paper::embedded().table(1).expect("in the paper");
        let ours = subject("MNIST", "random", 100);
        let with = |critical_distance| {
            let description = Description {
                subject: &ours,
                direction: Direction::Dimension,
                settings: Vec::new(),
                critical_distance,
            };
            table.find(&description).is_some()
        };
        assert!(with(None) && with(Some(1.36 / 1000f64.sqrt())));
        assert!(!with(Some(1.36 / 200f64.sqrt())), "K = 200");
    }

    #[test]
    fn levels_name_depth_width_and_optimizer() {
        let find_in = |number: u32, ours: &Subject, settings: &[&str]| {
            let table = Paper::embedded().table(number).expect("in the paper");
            find(table, ours, Direction::Spectrum, settings).and_then(|row| row.dks)
        };
        let fcn = Subject {
            model: "FCN".into(),
            ..spectrum("second_moment", "random", 10)
        };
        assert_eq!(find_in(8, &fcn, &["2Layer-FCN"]), Some(0.0418));
        assert_eq!(find_in(8, &fcn, &["1Layer-FCN"]), Some(0.0384));
        assert_eq!(find_in(8, &fcn, &["2Layer-FCN", "Width=30"]), Some(0.0488));
        assert_eq!(find_in(8, &fcn, &["2Layer-FCN", "Noise"]), Some(0.0427));
        assert_eq!(find_in(8, &fcn, &[]), None, "how deep it is must be said");
        let lnn = Subject {
            model: "LNN".into(),
            ..spectrum("second_moment", "pretrain", 10)
        };
        assert_eq!(find_in(9, &lnn, &["4Layer-LNN", "BatchNorm"]), Some(0.0268));
        let cifar = Subject {
            dataset: "CIFAR-10".into(),
            ..spectrum("covariance", "random", 100)
        };
        assert_eq!(find_in(10, &cifar, &["Adam"]), Some(0.0634));
        assert_eq!(find_in(10, &cifar, &["Weight Decay"]), Some(0.0107));
    }

    #[test]
    fn rows_of_one_description_are_not_guessed_between() {
        let table = Paper::embedded().table(11).expect("in the paper");
        let ours = Subject {
            dataset: "CIFAR-100".into(),
            ..spectrum("covariance", "pretrain", 1)
        };
        assert!(find(table, &ours, Direction::Spectrum, &[]).is_none());
    }

    /// Every row of Tables 1 to 11 stands beside a row of ours that says of itself what the row says; Table 11
    /// prints two rows of one description.
    #[test]
    fn every_row_can_be_found() {
        let paper = Paper::embedded();
        for number in paper.numbers() {
            let table = paper.table(number).expect("listed");
            for row in &table.rows {
                let fixed = &table.fixed;
                let text = |row: &Option<String>, fixed: &Option<String>| row.clone().or(fixed.clone());
                let model = text(&row.model, &fixed.model).unwrap_or_default();
                let ours = Subject {
                    layers: None,
                    dataset: text(&row.dataset, &fixed.dataset).unwrap_or_default(),
                    model: model.clone(),
                    training: text(&row.training, &fixed.training).unwrap_or_default(),
                    batch: row.batch.or(fixed.batch).unwrap_or(1),
                    iterations: row.iterations.or(fixed.iterations).unwrap_or(5000),
                    parameters: 1,
                    spectrum: text(&row.spectrum, &fixed.spectrum),
                };
                let found = table.find(&Description {
                    subject: &ours,
                    direction: row.sg_type.unwrap_or(Direction::Spectrum),
                    settings: row.setting.iter().map(String::as_str).collect(),
                    critical_distance: row.dc,
                });
                let twice = number == 11 && row.training.as_deref() == Some("pretrain");
                assert_eq!(found.is_none(), twice, "Table {number}: {row:?}");
                assert!(
                    found.is_none_or(|found| std::ptr::eq(found, row)),
                    "Table {number}: {row:?}"
                );
            }
        }
    }

    #[test]
    fn all_eleven_tables_are_there() {
        assert_eq!(
            Paper::embedded().numbers().collect::<Vec<_>>(),
            (1..=11).collect::<Vec<_>>()
        );
    }
}
