//! Rates of several samples have an interval where the user says that they are independent.

use serde_json::Value;

use super::{COLUMNS, folder};

#[test]
fn several_samples_have_an_interval_where_they_are_said_to_be_independent() {
    let gradstudy = folder();
    let of = |arguments: &[&str]| {
        let common = ["test", "rows.npy", "--test", "normality"];
        gradstudy.run(&[&common, arguments].concat()).success().stdout
    };
    let rate = |said: &str| {
        let line = said.lines().find(|line| line.contains("gaussian_rate"));
        line.unwrap().to_string()
    };
    let (without, with) = (of(&[]), of(&["--independent"]));
    assert!(
        !rate(&without).contains("95 %") && without.contains("with --independent"),
        "{without}"
    );
    assert!(
        rate(&with).contains("(95 %: ") && !with.contains("--independent"),
        "{with}"
    );
    assert!(
        rate(&of(&["--sample", "0"])).contains("(95 %: "),
        "a single sample"
    );
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&of(arguments)).unwrap() };
    let test = |json: Value| json["arrays"][0]["tests"][0].clone();
    let none = test(json(&["--json"]));
    assert_eq!(none["intervals"], serde_json::json!({}));
    let found = test(json(&["--json", "--independent"]));
    let accepted = found["outcome"]["acceptance"]["accepted"].as_u64().unwrap();
    let expected = gradstudy::stats::interval::wilson(accepted, COLUMNS as u64, 0.95);
    for (end, expected) in [("low", expected.low), ("high", expected.high)] {
        let printed = found["intervals"]["gaussian_rate"][end].as_f64().unwrap();
        assert!((printed - expected).abs() < 1e-12, "{end}: {printed}");
    }
}
