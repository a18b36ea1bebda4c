//! The numbers that Xie et al. (NeurIPS 2023, arXiv 2212.02083) print in Tables 1 to 11, as data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::results::Subject;
use gradstudy_stats::outcome::Direction;

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
    Paper::parse(include_str!("../../../../references/xie2023.yaml"))
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
    /// What the paper does not state does not have to match. It prints nothing of single layers. A setting of
    /// ours is the row's `setting`, or a name of its model (`2Layer-FCN`), or one of [`PLAIN`], or repeats what the
    /// subject says (`random`, `B = 10`); a row of any other setting has no row in the paper. Several rows may fit where the paper prints two of the same description (Table 11);
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
                || [("B", subject.batch), ("T", subject.iterations)]
                    .iter()
                    .any(|(letter, it)| {
                        same_word(&it.to_string(), setting) || same_word(&format!("{letter} = {it}"), setting)
                    })
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

    /// What all rows share, such as `LeNet, B = 100, T = 5000, K = 1000`.
    pub fn fixed_settings(&self) -> Vec<String> {
        let fixed = &self.fixed;
        let mut said: Vec<String> = [&fixed.dataset, &fixed.model]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        said.extend(fixed.batch.map(|batch| format!("B = {batch}")));
        said.extend(fixed.iterations.map(|iterations| format!("T = {iterations}")));
        said.extend(fixed.top.or(self.tail()).map(|top| format!("K = {top}")));
        said
    }

    /// K by the critical distance 1.36/√K, where all rows have the same; it is printed with three digits.
    fn tail(&self) -> Option<u64> {
        let critical = self.rows.first()?.dc.filter(|dc| *dc > 0.0)?;
        let same = self.rows.iter().all(|row| row.dc == Some(critical));
        same.then(|| 10 * ((1.36 / critical).powi(2) / 10.0).round() as u64)
    }
}

/// The settings that a level's label speaks of: `2Layer-FCN, Width=30` is two.
pub fn settings_in(label: &str) -> impl Iterator<Item = &str> {
    label.split(", ")
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
mod tests;
