//! Values that are no finite numbers, and samples that keep few digits, as `gradstudy test` tells them.

use super::*;

#[test]
fn values_that_are_not_finite_can_be_left_out() {
    let gradstudy = Gradstudy::new("");
    let mut rows = rows();
    for (row, column, value) in [(3, 2, f64::NAN), (9, 2, f64::NEG_INFINITY), (5, 4, f64::INFINITY)] {
        rows[row * COLUMNS + column] = value;
    }
    let file = File::create(gradstudy.path().join("holes.npy")).unwrap();
    write_npy(file, npyz::Order::C, &[ROWS as u64, COLUMNS as u64], &rows);
    for (test, kept) in [
        ("normality(points: 398, missing: drop)", true),
        ("normality(points: 399, missing: drop)", false),
        ("power_law(tail: top(50), missing: drop)", true),
        ("power_law(tail: top(399), missing: drop)", false),
        ("alternatives(tail: top(50), missing: drop)", true),
        ("hill(k: 50, missing: drop)", true),
        ("alpha_stable(missing: drop)", true),
    ] {
        let arguments = [
            "test",
            "holes.npy",
            "--json",
            "--each",
            "each.csv",
            "--test",
            test,
        ];
        let said = json(&gradstudy.run(&arguments).success());
        let found = &said["arrays"][0]["tests"][0];
        let statistic = |name: &str| found["statistics"][name].as_f64();
        assert_eq!(statistic("left_out"), Some(3.0), "{test}: {found}");
        assert_eq!(statistic("not_finite"), Some(0.0), "{test}");
        assert_eq!(statistic("too_few"), Some(if kept { 0.0 } else { 1.0 }), "{test}");
        let remark = "Left out (missing: drop), as they are no finite numbers: 3 values of 2 samples.";
        assert_eq!(found["remarks"], serde_json::json!([remark]), "{test}");
        let each = fs::read_to_string(gradstudy.path().join("each.csv")).unwrap();
        let name = test.split('(').next().unwrap();
        let left_out = |sample: usize| {
            let line = format!("holes.npy,{sample},{name},left_out,");
            let found = each.lines().find_map(|it| it.strip_prefix(line.as_str()));
            found.map(String::from)
        };
        let counts: Vec<_> = (0..COLUMNS).map(left_out).collect();
        assert_eq!(
            counts,
            ["0", "0", "2", "0", "1", "0", "0"].map(|it| Some(it.to_string())),
            "{test}"
        );
        // Without the setting, the same samples are degenerate.
        let plain = test.replace(", missing: drop", "").replace("(missing: drop)", "");
        let said = json(
            &gradstudy
                .run(&["test", "holes.npy", "--json", "--test", &plain])
                .success(),
        );
        let statistics = &said["arrays"][0]["tests"][0]["statistics"];
        assert_eq!(statistics["not_finite"].as_f64(), Some(2.0), "{plain}");
        assert!(statistics.get("left_out").is_none());
        assert_eq!(said["arrays"][0]["tests"][0]["remarks"], serde_json::json!([]));
    }
    let said = gradstudy.run(&["test", "holes.npy", "--test", "correlation(missing: drop)"]);
    assert!(
        said.code != Some(0) && said.stderr.contains("missing"),
        "{}",
        said.stderr
    );
}

/// A spread that rounding might have made is no verdict, and one that is near it is told.
#[test]
fn samples_near_their_rounding_are_told() {
    let gradstudy = Gradstudy::new("");
    let step = f64::EPSILON;
    let steps = [-3, -2, -1, -1, 0, 0, 0, 1, 1, 2, 3, 4, 0, 1, -2, 2, 0, -1, 1, 5];
    let values: Vec<f64> = steps
        .iter()
        .enumerate()
        .flat_map(|(i, &k)| {
            let one = 1.0 + f64::from(k) * step;
            [one, 1.0 + (i % 2) as f64 * step, f64::from(k)]
        })
        .collect();
    let file = File::create(gradstudy.path().join("near.npy")).unwrap();
    write_npy(file, npyz::Order::C, &[20, 3], &values);
    for (test, p) in [
        ("normality(points: 20)", 0.5204),
        ("shapiro_wilk(points: 20)", 0.5946),
    ] {
        let said = gradstudy.run(&["test", "near.npy", "--test", test]).success();
        for line in [
            "No verdict on 1 of 3 samples, with a spread within rounding of the values (they count as rejected).",
            "exact for them): 1 of 3 samples.",
        ] {
            assert!(said.stdout.contains(line), "{line} is not in {}", said.stdout);
        }
        let arguments = ["test", "near.npy", "--json", "--each", "each.csv", "--test", test];
        let found = json(&gradstudy.run(&arguments).success());
        let statistics = &found["arrays"][0]["tests"][0]["statistics"];
        assert_eq!(
            (
                statistics["rounding"].as_f64(),
                statistics["near_rounding"].as_f64()
            ),
            (Some(1.0), Some(1.0))
        );
        let each = fs::read_to_string(gradstudy.path().join("each.csv")).unwrap();
        let p_values = each.lines().filter(|line| line.contains(",p_value,"));
        let p_values: Vec<f64> = p_values
            .map(|line| line.rsplit(',').next().unwrap().parse().unwrap())
            .collect();
        assert!(
            (p_values[0] - p).abs() < 5e-5 && (p_values[2] - p).abs() < 5e-5,
            "{p_values:?}"
        );
        assert_eq!(p_values[1], 0.0);
    }
}
