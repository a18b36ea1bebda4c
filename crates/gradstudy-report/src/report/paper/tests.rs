//! Rows of ours and their rows in the paper.

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

/// The labels of the levels in studies/table7.study to table10.study.
#[test]
fn labels_of_several_settings_find_their_rows() {
    let find_by = |number: u32, ours: &Subject, label: &str| {
        let table = Paper::embedded().table(number).expect("in the paper");
        let settings: Vec<&str> = settings_in(label).collect();
        find(table, ours, Direction::Spectrum, &settings).and_then(|row| row.dks)
    };
    let fcn = |training| Subject {
        model: "FCN".into(),
        ..spectrum("second_moment", training, 10)
    };
    assert_eq!(find_by(8, &fcn("random"), "2Layer-FCN, Width=30"), Some(0.0488));
    assert_eq!(
        find_by(8, &fcn("pretrain"), "2Layer-FCN, Width=30, pretrain"),
        Some(0.0425)
    );
    assert_eq!(find_by(8, &fcn("random"), "2Layer-FCN, Noise"), Some(0.0427));
    assert_eq!(find_by(8, &fcn("random"), "2Layer-FCN, Width=30, pretrain"), None);
    let lenet = |training, batch| spectrum("covariance", training, batch);
    assert_eq!(
        find_by(7, &lenet("random", 10_000), "B = 10 000, random"),
        Some(0.0287)
    );
    assert_eq!(find_by(7, &lenet("pretrain", 1), "B = 1"), Some(0.0206));
    assert_eq!(find_by(7, &lenet("pretrain", 1), "B = 10"), None);
    assert_eq!(find_by(7, &lenet("pretrain", 1), "Label Noise 40%"), Some(0.0289));
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
