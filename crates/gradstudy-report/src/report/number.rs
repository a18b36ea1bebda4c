//! The only place that turns a number into text: significant digits, percents, ±, thousands, powers of ten.
//!
//! Values stay `f64` until here, so that `diff`, CSV and JSON see every digit and one table can be printed in
//! several formats.

use gradstudy_stats::interval::Interval;

/// Printed where there is no value.
pub const DASH: &str = "–";

/// Between a number and its percent sign, and between thousands: a narrow space that does not break.
const NARROW_SPACE: char = '\u{202F}';

/// Where the text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// UTF-8 for people at a terminal.
    Terminal,
    /// UTF-8; differs from [`Target::Terminal`] in what needs escaping, not in how a number looks.
    Markdown,
    /// siunitx's `\num{…}` in running text.
    Latex,
}

/// How a quantity is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// This many significant digits; a power of ten below 10⁻³ and from 10⁶.
    Significant(u8),
    /// This many significant digits; a power of ten below 10⁻², as the paper prints p-values.
    PValue(u8),
    /// This many decimals; as many significant digits where they would show none.
    Decimals(u8),
    /// A fraction shown as a percent with this many significant digits. Only exactly 1 is shown as 100 %.
    Percent(u8),
    /// A whole number with separated thousands from 10 000.
    Count,
    /// 1 as `yes`, 0 as `no`, a mean between them (over seeds) as a percent.
    Verdict,
}

/// A number split into what every target spells in its own way. All three texts are plain decimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Such as `0.0247`, `-4.11`.
    pub mantissa: String,
    /// Standard deviation with the decimals of the mantissa.
    pub spread: Option<String>,
    /// Power of ten that multiplies both.
    pub exponent: Option<i32>,
    /// Whether a percent sign follows.
    pub percent: bool,
}

/// Mean and standard deviation, such as `0.0247 ± 0.0003` or `(4.11 ± 0.30)×10⁻⁴`.
///
/// The spread has the decimals of the mean, and the mean gets more decimals where the spread would otherwise
/// be rounded to zero. A spread of exactly 0 is left out. NaN and infinities print as [`DASH`].
pub fn quantity(mean: f64, sd: Option<f64>, format: Format, target: Target) -> String {
    match parts(mean, sd, format) {
        _ if format == Format::Verdict => verdict(mean, target),
        Some(parts) => parts.render(target),
        None => dash(target).to_string(),
    }
}

fn verdict(mean: f64, target: Target) -> String {
    match mean {
        1.0 => "yes".to_string(),
        0.0 => "no".to_string(),
        mean => quantity(mean, None, Format::Percent(3), target) + " yes",
    }
}

/// A number of things, such as `44 426`.
pub fn count(value: u64, target: Target) -> String {
    let parts = Parts {
        mantissa: value.to_string(),
        spread: None,
        exponent: None,
        percent: false,
    };
    parts.render(target)
}

/// An interval of a rate of so many samples, without brackets, such as `97.8–98.5 %`.
pub fn interval(interval: &Interval, format: Format, samples: u64, target: Target) -> String {
    let between = if target == Target::Latex { "--" } else { "–" };
    // A decimal more than the rate has.
    let format = |end: f64| of_samples(format, end, samples.saturating_mul(10));
    let high = quantity(interval.high, None, format(interval.high), target);
    match parts(interval.low, None, format(interval.low)) {
        Some(mut low) => {
            low.percent = false;
            format!("{}{between}{high}", low.render(target))
        }
        None => format!("{}{between}{high}", dash(target)),
    }
}

/// A published number as its authors printed it: no digit is dropped. The final zeros that data files lose are shown
/// up to the third significant digit, and to the first decimal of a percent (`0.0430`, `62.0 %`, `0.3 %`).
pub fn published(value: f64, format: Format, target: Target) -> String {
    if format == Format::Verdict {
        return verdict(value, target);
    }
    let shown = match format {
        Format::Percent(_) => 100.0 * value,
        _ => value,
    };
    // Rates are stored as fractions: fifteen digits take the error of multiplying by 100 away again.
    let text = shortest(shown);
    let Some(mut usual) = parts(value, None, format) else {
        return dash(target).to_string();
    };
    if usual.exponent.is_none() && shown != 0.0 {
        usual.mantissa = format!(
            "{shown:.*}",
            decimals_of(&text).max(least_decimals(shown, format))
        );
    }
    usual.render(target)
}

/// Decimals that the publication has at least.
fn least_decimals(shown: f64, format: Format) -> usize {
    match format {
        Format::Percent(_) => 1,
        Format::Significant(_) | Format::Decimals(_) if shown != 0.0 => {
            (2 - power_of_ten(shown, 2)).max(0) as usize
        }
        _ => 0,
    }
}

/// The size of the last digit of a published number; distances and exponents are printed with three digits at least.
pub fn printed_unit(value: f64, format: Format) -> f64 {
    let scale = if matches!(format, Format::Percent(_)) {
        100.0
    } else {
        1.0
    };
    let shown = value * scale;
    let decimals = decimals_of(&shortest(shown)).max(least_decimals(shown, format));
    10f64.powi(-(decimals as i32)) / scale
}

/// Two values with as many digits as it takes to see that they differ, and one more; no fewer than four.
pub fn contrast(left: f64, right: f64) -> [String; 2] {
    let show = |value: f64, digits: u8| match parts(value, None, Format::Significant(digits)) {
        None => DASH.to_string(),
        Some(parts) => parts.siunitx().replace(" e", "e"),
    };
    let differ = |digits: &u8| show(left, *digits) != show(right, *digits);
    let digits = (3..17).find(differ).map_or(17, |digits| digits + 1);
    [left, right].map(|value| match value.fract() == 0.0 && value.abs() < 1e15 {
        true => value.to_string(),
        false => show(value, digits),
    })
}

/// A signed difference with three significant digits, such as `+0.00120`, `-4.11e-4`.
pub fn difference(value: f64) -> String {
    match parts(value, None, Format::Significant(3)) {
        None => DASH.to_string(),
        Some(parts) => {
            let sign = if value > 0.0 { "+" } else { "" };
            format!("{sign}{}", parts.siunitx().replace(" e", "e"))
        }
    }
}

/// A wall time, such as `0.31 s`, `12.4 s`, `3 min 20 s`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return DASH.to_string();
    }
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.2} s"),
        10..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Bytes, such as `1.5 GB`, `312 kB`.
pub fn size(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.into_iter().find(|(_, unit)| bytes as f64 >= *unit) {
        Some((name, unit)) if bytes as f64 >= 100.0 * unit => format!("{:.0} {name}", bytes as f64 / unit),
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit),
        None => format!("{bytes} B"),
    }
}

/// The format of a rate of so many samples: no more decimals of a percent than their number can tell apart.
pub fn of_samples(format: Format, rate: f64, samples: u64) -> Format {
    let Format::Percent(digits) = format else {
        return format;
    };
    // One sample of n is 100/n percent.
    let decimals = (samples as f64 / 100.0).max(1.0).log10().ceil() as i32;
    let allowed = decimals + 1 + power_of_ten(100.0 * rate, usize::from(digits.max(1)) - 1);
    Format::Percent(digits.min(allowed.clamp(1, 15) as u8))
}

/// The mark for no value, as the target spells it.
pub fn dash(target: Target) -> &'static str {
    match target {
        Target::Terminal | Target::Markdown => DASH,
        Target::Latex => "--",
    }
}

/// Rounds `mean` and `sd` to the digits that `format` asks for; `None` if the mean is NaN or infinite, and for a
/// [`Format::Verdict`], which is a word.
pub fn parts(mean: f64, sd: Option<f64>, format: Format) -> Option<Parts> {
    if !mean.is_finite() || format == Format::Verdict {
        return None;
    }
    let scale = if matches!(format, Format::Percent(_)) {
        100.0
    } else {
        1.0
    };
    let (value, sd) = (
        mean * scale,
        sd.map(|sd| sd * scale).filter(|sd| sd.is_finite() && *sd > 0.0),
    );
    let percent = scale != 1.0;
    if value == 0.0 && sd.is_none() {
        return Some(Parts {
            mantissa: "0".into(),
            spread: None,
            exponent: None,
            percent,
        });
    }
    let (digits, smallest) = match format {
        Format::Significant(digits) => (digits, 1e-3),
        Format::PValue(digits) => (digits, 1e-2),
        Format::Percent(digits) => (percent_digits(value, digits), 1e-4),
        Format::Decimals(decimals) => (decimal_digits(value, decimals), 1e-3),
        Format::Count | Format::Verdict => (whole_digits(value, sd), 0.0),
    };
    let significant = usize::from(digits.max(1)) - 1;
    let exponent = power_of_ten(value, significant);
    let scientific = value != 0.0 && (value.abs() < smallest || (exponent >= 6 && format != Format::Count));
    let shift = if scientific { exponent } else { 0 };
    // Decimals, counted after dividing by 10^shift: enough for the digits asked for and for one digit of sd.
    let asked = significant as i32 - (exponent - shift);
    let needed = sd.map_or(0, |sd| shift - power_of_ten(sd, 0));
    let decimals = asked.max(needed).clamp(0, 18) as usize;
    let mantissa = match scientific {
        true => scientific_mantissa(value, decimals),
        false => format!("{value:.decimals$}"),
    };
    Some(Parts {
        mantissa,
        spread: sd.map(|sd| format!("{:.decimals$}", sd / 10f64.powi(shift))),
        exponent: scientific.then_some(exponent),
        percent,
    })
}

impl Parts {
    /// What siunitx reads, in `\num{…}` or in an `S` column: `0.0247 +- 0.0003`, `4.11 +- 0.30 e-4`.
    pub fn siunitx(&self) -> String {
        let mut text = self.mantissa.clone();
        if let Some(spread) = &self.spread {
            text.push_str(&format!(" +- {spread}"));
        }
        if let Some(exponent) = self.exponent {
            text.push_str(&format!(" e{exponent}"));
        }
        text
    }

    fn render(&self, target: Target) -> String {
        let number = match target {
            Target::Latex => format!("\\num{{{}}}", self.siunitx()),
            Target::Terminal | Target::Markdown => self.unicode(),
        };
        match (self.percent, target) {
            (false, _) => number,
            (true, Target::Latex) => format!("{number}\\,\\%"),
            (true, _) => format!("{number}{NARROW_SPACE}%"),
        }
    }

    fn unicode(&self) -> String {
        let mantissa = group_thousands(&self.mantissa.replace('-', "−"));
        let number = match &self.spread {
            Some(spread) if self.exponent.is_some() => format!("({mantissa} ± {spread})"),
            Some(spread) => format!("{mantissa} ± {}", group_thousands(spread)),
            None => mantissa,
        };
        match self.exponent {
            Some(exponent) => format!("{number}×10{}", superscript(exponent)),
            None => number,
        }
    }
}

/// The power of ten of `value`'s first digit after rounding to `decimals` digits behind the first.
fn power_of_ten(value: f64, decimals: usize) -> i32 {
    if value == 0.0 {
        return 0;
    }
    let text = format!("{value:.decimals$e}");
    text.split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0)
}

fn scientific_mantissa(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$e}");
    text.split_once('e')
        .map_or_else(|| text.clone(), |(mantissa, _)| mantissa.to_string())
}

/// More digits where rounding would turn 99.98 % into 100 %.
fn percent_digits(percent: f64, digits: u8) -> u8 {
    let reads_100 = |digits: &u8| percent < 100.0 && power_of_ten(percent, usize::from(*digits) - 1) >= 2;
    (digits.max(1)..=15)
        .find(|digits| !reads_100(digits))
        .unwrap_or(15)
}

/// All digits of the whole part, and one decimal where there is something behind the point that a spread leaves a meaning.
fn whole_digits(value: f64, sd: Option<f64>) -> u8 {
    let whole = (power_of_ten(value.trunc(), 17).max(0) + 1) as u8;
    if sd.is_some_and(|sd| sd >= 10.0) || value.fract() == 0.0 && sd.is_none_or(|sd| sd >= 1.0) {
        whole
    } else {
        whole + 1
    }
}

/// Significant digits that so many decimals are, where they show any.
fn decimal_digits(value: f64, decimals: u8) -> u8 {
    let whole = power_of_ten(value, usize::from(decimals)) + 1;
    match value.abs() < 1e-3 || whole > 6 {
        true => decimals,
        false => (whole + i32::from(decimals)).clamp(1, 15) as u8,
    }
}

fn shortest(value: f64) -> String {
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    rounded.to_string()
}

fn decimals_of(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// Separates thousands of the whole part from five digits on, as siunitx does.
fn group_thousands(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.chars().filter(char::is_ascii_digit).count();
    if digits < 5 {
        return text.to_string();
    }
    let mut grouped = String::new();
    let mut left = digits;
    for character in whole.chars() {
        if character.is_ascii_digit() {
            if left < digits && left.is_multiple_of(3) {
                grouped.push(NARROW_SPACE);
            }
            left -= 1;
        }
        grouped.push(character);
    }
    grouped + rest
}

fn superscript(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    exponent
        .to_string()
        .chars()
        .map(|character| match character.to_digit(10) {
            Some(digit) => DIGITS[digit as usize],
            None => '⁻',
        })
        .collect()
}

#[cfg(test)]
mod tests;
