//! Data of the user's own in whole studies, and the `data` command.

use std::fs;

use crate::support::Gradstudy;

const STUDY: &str = r#"study "Own data" { seeds: 0 }
data  own = csv(file: "wine.csv", label: "kind", shape: [1, 28, 28], classes: [1, 0])
model net = lenet(logits: 10)
record g = gradients(of: net, on: own, batch: 2, iterations: 20)
test bell = normality(g, points: 20)
table rates { of: bell  rows: [dataset]  columns: [gaussian_rate] }
"#;

/// Twelve rows of 784 pixels, four of each kind.
fn table() -> String {
    let names: Vec<String> = (0..784).map(|i| format!("p{i}")).collect();
    let mut text = format!("{},kind\n", names.join(","));
    for row in 0..12u32 {
        let pixels: Vec<String> = (0..784u32)
            .map(|i| ((i * (row + 3) * 7919) % 251).to_string())
            .collect();
        text += &format!(
            "{},{}\n",
            pixels.join(","),
            ["red", "rose", "white"][row as usize % 3]
        );
    }
    text
}

#[test]
fn a_study_of_a_table_of_ones_own_runs() {
    let gradstudy = Gradstudy::new(STUDY);
    fs::write(gradstudy.path().join("wine.csv"), table()).unwrap();
    let said = gradstudy.run(&["run", "test.study"]).success();
    assert!(said.stdout.contains("wine.csv (classes 1, 0)"), "{}", said.stdout);
    let run = gradstudy.runs().pop().unwrap();
    let manifest = fs::read_to_string(run.join("manifest.yaml")).unwrap();
    assert!(manifest.contains("per_feature"), "{manifest}");
}

/// What `check` says of a study that it refuses.
#[track_caller]
fn refused(gradstudy: &Gradstudy, study: &str, expected: &[&str]) {
    fs::write(gradstudy.path().join("test.study"), study).unwrap();
    let said = gradstudy.run(&["check", "test.study"]);
    assert_eq!(said.code, Some(2));
    for expected in expected {
        assert!(
            said.stderr.contains(expected),
            "`{expected}` is not in\n{}",
            said.stderr
        );
    }
    assert!(said.stderr.contains("1 mistake in"), "{}", said.stderr);
}

#[test]
fn mistakes_in_ones_own_data_are_located_in_the_study_and_in_the_file() {
    let gradstudy = Gradstudy::new(STUDY);
    let file = gradstudy.path().join("wine.csv");
    let missing = [
        "E0508",
        "cannot read wine.csv: No such file",
        "[test.study:2:1]",
        "data `own`",
    ];
    refused(&gradstudy, STUDY, &missing);
    let line = |i: usize, line: &str| match i {
        5 => line.replacen(',', ",x", 1) + "\n",
        _ => line.to_string() + "\n",
    };
    let broken: String = table()
        .lines()
        .enumerate()
        .map(|(i, text)| line(i, text))
        .collect();
    fs::write(&file, broken).unwrap();
    let text = "wine.csv:6:2: column `p1` is `x213`, which is no number";
    refused(&gradstudy, STUDY, &["E0508", text, "[test.study:2:1]"]);
    fs::write(&file, table()).unwrap();
    let study = STUDY.replace("classes: [1, 0]", "classes: [1, 3]");
    refused(
        &gradstudy,
        &study,
        &["E0508", "`csv` has no class 3: its classes are 0 to 2"],
    );
    // Two of three classes have eight of the twelve rows.
    let study = STUDY.replace("batch: 2", "batch: 9");
    let place = "[test.study:4:47]";
    refused(
        &gradstudy,
        &study,
        &[
            "E0502",
            "a minibatch of 9 is larger than `own`",
            place,
            "`own` has 8 examples",
        ],
    );
}

#[test]
fn the_data_command_knows_published_sets_only() {
    let gradstudy = Gradstudy::new("");
    let list = gradstudy.run(&["data", "list"]).success().stdout;
    for set in ["avila", "cifar10", "cifar100", "fashion_mnist", "mnist"] {
        assert!(
            list.contains(&format!("\n{set} ")) || list.starts_with(set),
            "{list}"
        );
    }
    assert!(
        list.contains("get it from https://archive.ics.uci.edu/dataset/459/avila"),
        "{list}"
    );
    assert!(!list.contains("csv"), "{list}");
    for (command, expected) in [
        (
            ["data", "fetch", "avila"],
            "gradstudy cannot download `avila`: its publisher offers no file of known digest",
        ),
        (
            ["data", "verify", "csv"],
            "`csv` is data of your own: there is nothing to fetch or verify",
        ),
    ] {
        let said = gradstudy.run(&command);
        assert_eq!(said.code, Some(2));
        assert!(said.stderr.contains(expected), "{}", said.stderr);
    }
}
