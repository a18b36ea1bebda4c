//! Critical distances: from which on a Kolmogorov–Smirnov distance rejects.
//!
//! Where parameters are fitted to the same sample, the distance is smaller than Kolmogorov's distribution has it. Its
//! quantiles were simulated (up to 4 million samples of each of 9 or 10 sizes,
//! `tests/reference/stats/make_critical.py`) and stand here as a + b/√K + c/K for each level.

use statrs::distribution::{ContinuousCDF, Normal};

use super::ks::{Ecdf, critical_distance};

/// Which critical distance d_c decides about a power law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Critical {
    /// The paper's: 1.36/√K at α = 0.05, the asymptotic distance from a law known beforehand. As β is fitted, a true
    /// power law is rejected far less often than with probability α.
    Fixed,
    /// The simulated distance from a law whose exponent is fitted and whose x_min is the smallest point of the tail:
    /// about 1.07/√K (left) or 1.09/√K (both sides) at α = 0.05 and K = 1000. Right for every rule that does not look
    /// for x_min.
    Fitted,
}

impl Critical {
    /// Reads `fixed` or `fitted`. Panics at another word: a mistake in gradstudy.
    pub fn from_word(word: &str) -> Self {
        match word {
            "fixed" => Critical::Fixed,
            "fitted" => Critical::Fitted,
            other => panic!("`{other}` is no critical distance, the signature promised one"),
        }
    }

    /// d_c at level `alpha` for a tail of `points`.
    pub fn distance(self, alpha: f64, points: usize, ecdf: Ecdf) -> f64 {
        match (self, ecdf) {
            (Critical::Fixed, _) => critical_distance(alpha, points),
            (Critical::Fitted, Ecdf::Left) => POWER_LAW_LEFT.quantile(alpha, points),
            (Critical::Fitted, Ecdf::TwoSided) => POWER_LAW_TWO_SIDED.quantile(alpha, points),
        }
    }
}

/// Probabilities of a larger distance for which quantiles are held, from the smallest distance up.
const LEVELS: [f64; 21] = [
    0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005,
    0.002, 0.001, 0.0005,
];

/// Upper quantiles of d√K: for each of [`LEVELS`] a, b, c of a + b/√K + c/K.
#[derive(Debug)]
pub struct Simulated([[f64; 3]; 21]);

impl Simulated {
    /// The distance that a sample of `points` exceeds with probability `p`.
    ///
    /// Between the levels d is taken as linear in the normal score of p, above the last one d² as linear in ln p, as the
    /// supremum of a Gaussian process has it; below the first one d as proportional to (1 − p)^¼.
    pub fn quantile(&self, p: f64, points: usize) -> f64 {
        let (ends, i) = (
            self.ends(points),
            LEVELS.iter().take_while(|&&level| level >= p).count(),
        );
        let last = LEVELS.len() - 1;
        let scaled = if i == 0 {
            ends[0] * ((1.0 - p) / (1.0 - LEVELS[0])).max(0.0).powf(0.25)
        } else if i > last {
            let slope =
                (ends[last].powi(2) - ends[last - 2].powi(2)) / (LEVELS[last] / LEVELS[last - 2]).ln();
            (ends[last].powi(2) + slope * (p / LEVELS[last]).ln()).sqrt()
        } else {
            let share = (score(p) - score(LEVELS[i - 1])) / (score(LEVELS[i]) - score(LEVELS[i - 1]));
            ends[i - 1] + share * (ends[i] - ends[i - 1])
        };
        scaled / (points as f64).sqrt()
    }

    /// The probability that a sample of `points` has a distance of at least `distance`: the inverse of
    /// [`Simulated::quantile`]. Its error is about 2 % of the p-value, to
    /// which that of the simulation adds a few percent below 0.002.
    pub fn p_value(&self, distance: f64, points: usize) -> f64 {
        let scaled = distance * (points as f64).sqrt();
        let (ends, last) = (self.ends(points), LEVELS.len() - 1);
        let i = ends.iter().take_while(|&&end| end <= scaled).count();
        if i == 0 {
            1.0 - (1.0 - LEVELS[0]) * (scaled / ends[0]).powi(4)
        } else if i > last {
            let slope =
                (LEVELS[last] / LEVELS[last - 2]).ln() / (ends[last].powi(2) - ends[last - 2].powi(2));
            LEVELS[last] * (slope * (scaled.powi(2) - ends[last].powi(2))).exp()
        } else {
            let share = (scaled - ends[i - 1]) / (ends[i] - ends[i - 1]);
            let z = score(LEVELS[i - 1]) + share * (score(LEVELS[i]) - score(LEVELS[i - 1]));
            Normal::standard().sf(z)
        }
    }

    /// Quantiles of d√K at the levels for one size.
    fn ends(&self, points: usize) -> [f64; 21] {
        let k = points as f64;
        self.0.map(|[a, b, c]| a + b / k.sqrt() + c / k)
    }
}

/// The number that a standard normal variable exceeds with probability `p`.
fn score(p: f64) -> f64 {
    -Normal::standard().inverse_cdf(p)
}

/// A power law with fitted exponent, [`Ecdf::Left`]; K from 20 on.
pub static POWER_LAW_LEFT: Simulated = Simulated([
    [0.4065, -0.6738, 0.7360],
    [0.4708, -0.6744, 0.6959],
    [0.5119, -0.6733, 0.6714],
    [0.5689, -0.6694, 0.6351],
    [0.6159, -0.6662, 0.6002],
    [0.6608, -0.6707, 0.5941],
    [0.7062, -0.6681, 0.5537],
    [0.7554, -0.6659, 0.5114],
    [0.8126, -0.6691, 0.4782],
    [0.8851, -0.6692, 0.4133],
    [0.9323, -0.6673, 0.3579],
    [0.9949, -0.6641, 0.2745],
    [1.0465, -0.6583, 0.1912],
    [1.0929, -0.6540, 0.1139],
    [1.1607, -0.6626, 0.0505],
    [1.2114, -0.6621, -0.0275],
    [1.2934, -0.6548, -0.1937],
    [1.3713, -0.6606, -0.3121],
    [1.4655, -0.6446, -0.5323],
    [1.5353, -0.6466, -0.6604],
    [1.5944, -0.5552, -1.1083],
]);

/// A power law with fitted exponent, [`Ecdf::TwoSided`]; K from 20 on.
pub static POWER_LAW_TWO_SIDED: Simulated = Simulated([
    [0.4063, -0.1714, 0.2417],
    [0.4704, -0.1613, 0.1545],
    [0.5116, -0.1661, 0.1677],
    [0.5690, -0.1727, 0.1898],
    [0.6161, -0.1697, 0.1631],
    [0.6607, -0.1690, 0.1367],
    [0.7062, -0.1687, 0.1162],
    [0.7554, -0.1673, 0.0986],
    [0.8128, -0.1736, 0.0987],
    [0.8850, -0.1690, 0.0435],
    [0.9324, -0.1685, 0.0218],
    [0.9953, -0.1728, 0.0145],
    [1.0466, -0.1632, -0.0415],
    [1.0934, -0.1614, -0.0679],
    [1.1605, -0.1603, -0.0936],
    [1.2110, -0.1528, -0.1407],
    [1.2949, -0.1835, -0.0480],
    [1.3713, -0.1700, -0.0935],
    [1.4654, -0.1362, -0.1963],
    [1.5330, -0.1185, -0.2399],
    [1.5931, -0.0247, -0.5472],
]);

/// A normal distribution with fitted mean and standard deviation, both sides; from 8 points on.
pub static LILLIEFORS: Simulated = Simulated([
    [0.3776, -0.1737, 0.0968],
    [0.4300, -0.1538, 0.0018],
    [0.4634, -0.1474, -0.0399],
    [0.5098, -0.1504, -0.0546],
    [0.5477, -0.1562, -0.0561],
    [0.5828, -0.1586, -0.0674],
    [0.6179, -0.1566, -0.0928],
    [0.6558, -0.1569, -0.1161],
    [0.6989, -0.1547, -0.1481],
    [0.7532, -0.1540, -0.1840],
    [0.7886, -0.1547, -0.2055],
    [0.8350, -0.1516, -0.2501],
    [0.8735, -0.1515, -0.2849],
    [0.9078, -0.1488, -0.3236],
    [0.9581, -0.1526, -0.3664],
    [0.9964, -0.1598, -0.3938],
    [1.0577, -0.1610, -0.4728],
    [1.1154, -0.1576, -0.5741],
    [1.1852, -0.1369, -0.7418],
    [1.2368, -0.1329, -0.8643],
    [1.2839, -0.1125, -1.0189],
]);
