//! Networks that a study writes out: the same as built-in ones, layer by layer; what is wrong with them, and where.

#[path = "networks/golden.rs"]
mod golden;
#[path = "networks/mistakes.rs"]
mod mistakes;
#[path = "networks/random.rs"]
mod random;
#[path = "networks/twins.rs"]
mod twins;
#[path = "networks/written.rs"]
mod written;

use gradstudy::data::{Dataset, Normalization, NormalizationNote};
use gradstudy::models::{self, Network};
use gradstudy::study::{self, Study};
use gradstudy::syntax::{Diagnostics, Source};
use gradstudy::vocabulary::VOCABULARY;

fn check(text: &str) -> Result<(Study, Diagnostics), Diagnostics> {
    study::check(&Source::new("test.study", text), &VOCABULARY)
}

/// The network that `text`, such as `network([linear(10)])`, is for samples of this shape.
fn network(text: &str, input: [usize; 3]) -> Network {
    let (study, _) = check(&format!("model m = {text}")).unwrap_or_else(|found| panic!("{text}: {found:?}"));
    let call = &study.cases[0].models["m"].call;
    let kind = models::find(&call.name).unwrap();
    kind.build(&call.args, input)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Examples for `network`, as they are.
fn dataset(network: &Network, images: Vec<f32>, labels: Vec<u32>) -> Dataset {
    Dataset {
        name: "numbers".to_string(),
        images,
        shape: network.input,
        labels,
        classes: network.classes,
        digest: String::new(),
        note: NormalizationNote {
            scheme: Normalization::None,
            mean: 0.0,
            sd: 1.0,
            channels: Vec::new(),
            constant_pixels: 0,
            fitted_on: 0,
        },
    }
}

/// ‖a − b‖ / ‖b‖.
fn relative_error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let norm: f64 = b.iter().map(|b| f64::from(*b).powi(2)).sum();
    (error / norm.max(1e-20)).sqrt()
}
