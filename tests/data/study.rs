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

#[test]
fn mistakes_in_ones_own_data_are_located_in_the_study_and_in_the_file() {
    let gradstudy = Gradstudy::new(STUDY);
    let said = gradstudy.run(&["check", "test.study"]);
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.stderr, @"");
    let hole = table().replacen("1,rose", ",rose", 1).replacen("0,0,", "0,,", 0);
    let broken: String = hole
        .lines()
        .enumerate()
        .map(|(i, line)| match i {
            5 => line.replacen(',', ",x", 1) + "\n",
            _ => line.to_string() + "\n",
        })
        .collect();
    fs::write(gradstudy.path().join("wine.csv"), broken).unwrap();
    insta::assert_snapshot!(gradstudy.run(&["check", "test.study"]).stderr, @"");
    fs::write(gradstudy.path().join("wine.csv"), table()).unwrap();
    let study = STUDY
        .replace("classes: [1, 0]", "classes: [1, 3]")
        .replace("batch: 2", "batch: 9");
    fs::write(gradstudy.path().join("test.study"), study).unwrap();
    insta::assert_snapshot!(gradstudy.run(&["check", "test.study"]).stderr, @"");
    let study = STUDY.replace("batch: 2", "batch: 9");
    fs::write(gradstudy.path().join("test.study"), study).unwrap();
    insta::assert_snapshot!(gradstudy.run(&["check", "test.study"]).stderr, @"");
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
    insta::assert_snapshot!(gradstudy.run(&["data", "fetch", "avila"]).stderr.replace(&gradstudy.path().display().to_string(), "ROOT"), @"");
    insta::assert_snapshot!(gradstudy.run(&["data", "verify", "csv"]).stderr, @"");
}
