//! How plans are cut.

use gradstudy::data::SearchPath;
use gradstudy::plan::need::needs;
use gradstudy::plan::units::{Unit, UnitKind, estimate, missing, units, waves};
use gradstudy::plan::{self, Plan, Work};
use gradstudy::study::{Overrides, check_with};
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

fn plan_of(text: &str) -> Plan {
    let source = Source::new("test.study", text);
    let (study, _) = check_with(&source, &Overrides::default(), &VOCABULARY).unwrap();
    plan::lower(&study, &SearchPath::default()).unwrap()
}

/// `training 3`: kind and number of steps.
fn kinds(units: &[Unit]) -> Vec<(UnitKind, usize)> {
    units.iter().map(|unit| (unit.kind, unit.steps.len())).collect()
}

/// Every step that is asked for is in one unit, and inputs are of earlier units.
fn is_whole(plan: &Plan, units: &[Unit]) {
    let mut owners = vec![None; plan.steps.len()];
    for (number, unit) in units.iter().enumerate() {
        for step in &unit.steps {
            assert_eq!(owners[*step].replace(number), None, "two units have step {step}");
        }
    }
    for (step, owner) in plan.steps.iter().zip(&owners) {
        let free = matches!(
            step.work,
            Work::Load { .. } | Work::Corrupt { .. } | Work::Initialise { .. }
        );
        assert_eq!(owner.is_none(), free, "{}", step.label);
        for input in step
            .key
            .inputs
            .iter()
            .filter_map(|id| owners[plan.number(id).unwrap()])
        {
            let owner = owner.unwrap();
            assert!(input == owner || input < owner && units[owner].inputs.contains(&input));
        }
    }
}

#[test]
fn trainings_recordings_and_spectra_of_losses_are_units() {
    let plan = plan_of(super::STUDY);
    let units = units(&plan);
    is_whole(&plan, &units);
    let by_kind = |kind| units.iter().filter(|unit| unit.kind == kind).count();
    assert_eq!(
        (by_kind(UnitKind::Training), by_kind(UnitKind::Recording)),
        (2, 6)
    );
    assert_eq!(waves(&units).iter().filter(|wave| **wave == 1).count(), 4);
}

const HEAD: &str = "study \"s\" { allow: [W0101, W0103] }\ndata d = fashion_mnist_5k(subset: 600)\nmodel m = lenet\n\
                    train t = sgd(lr: 0.1) { of: m  on: d  epochs: 1  batch: 50 }\n";

#[test]
fn a_training_joins_its_only_recording() {
    let of = |statements: &str| {
        let plan = plan_of(&format!("{HEAD}{statements}"));
        let units = units(&plan);
        is_whole(&plan, &units);
        (kinds(&units), waves(&units))
    };
    let record =
        "record g = gradients(of: t, on: d, batch: 5, iterations: 30)\ntest b = normality(g, points: 20)\n";
    assert_eq!(of(record), (vec![(UnitKind::Recording, 4)], vec![0]));
    // Another use of the weights needs them, too.
    let (kinds, waves) = of(&format!(
        "{record}spectrum h = hessian(of: t, on: d, top: 2, samples: 100)\n"
    ));
    assert_eq!(
        kinds,
        [
            (UnitKind::Training, 1),
            (UnitKind::Recording, 3),
            (UnitKind::Curvature, 1)
        ]
    );
    assert_eq!(waves, [0, 1, 1]);
    // Trainings in a row are made in a row.
    let (kinds, waves) = of(&format!(
        "train u = sgd(lr: 0.1) {{ of: t  on: d  epochs: 1  batch: 50 }}\n{}",
        record.replace("of: t", "of: u")
    ));
    assert_eq!(kinds, [(UnitKind::Training, 1), (UnitKind::Recording, 4)]);
    assert_eq!(waves, [0, 1]);
}

#[test]
fn what_compares_two_recordings_waits_for_both() {
    let plan = plan_of(&format!(
        "{HEAD}record a = gradients(of: m, on: d, batch: 5, iterations: 30)\n\
         record b = gradients(of: t, on: d, batch: 5, iterations: 30)\n\
         test o = subspace_overlap(a, b, top: 3)\n"
    ));
    let units = units(&plan);
    is_whole(&plan, &units);
    assert_eq!(units.last().unwrap().kind, UnitKind::Comparison);
    assert_eq!(*waves(&units).last().unwrap(), 1);
}

#[test]
fn what_is_in_the_cache_is_neither_made_nor_waited_for() {
    let plan = plan_of(super::STUDY);
    let trained = needs(&plan, |step| matches!(step.work, Work::Train { .. }));
    let left = missing(units(&plan), &trained);
    assert_eq!(left.len(), 6);
    assert!(waves(&left).iter().all(|wave| *wave == 0));
    let estimates = left.iter().map(|unit| estimate(&plan, unit, &trained));
    assert!(
        estimates
            .clone()
            .all(|it| it.seconds > 0.0 && it.bytes > 100_000_000)
    );
    let done = needs(&plan, |_| true);
    assert!(missing(units(&plan), &done).is_empty());
}

/// A part has what its steps are made from, and nothing else; ids stay.
#[test]
fn a_part_of_a_plan_is_a_plan() {
    let plan = plan_of(super::STUDY);
    for unit in units(&plan) {
        let part = plan.part(&unit.steps);
        for step in &part.steps {
            let number = plan.number(&step.id).unwrap();
            assert_eq!(plan.steps[number].label, step.label);
            assert!(
                step.key
                    .inputs
                    .iter()
                    .all(|input| part.number(input) < part.number(&step.id))
            );
            let users: Vec<_> = part.users(&step.id).map(|user| &user.id).collect();
            let all: Vec<_> = plan.users(&step.id).map(|user| &user.id).collect();
            assert!(users.iter().all(|user| all.contains(user)));
        }
        let own = unit
            .steps
            .iter()
            .filter(|step| part.number(&plan.steps[**step].id).is_some());
        assert_eq!(own.count(), unit.steps.len());
    }
}
