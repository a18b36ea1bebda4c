//! Paths of files in a study: relative to the folder of the file that writes them.

use crate::support::Gradstudy;

const STUDY: &str = "record g = file(\"x.csv\", header: false)\ntest t = normality(g, points: 20)\n\
    table r { of: t  rows: [dataset, sg_type]  columns: [p_value, degenerate] }\n";

fn numbers(shift: f64) -> String {
    let value = |i: usize, j: usize| ((i * 31 + j * 17) as f64 * 0.618 + shift).fract() - 0.5;
    let row = |i: usize| {
        (0..25)
            .map(|j| value(i, j).to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    (0..24).map(|i| row(i) + "\n").collect()
}

/// `sub/a.study` and what is written beside it and at the top.
fn folder(study: &str, beside: bool, top: bool) -> Gradstudy {
    let gradstudy = Gradstudy::new("");
    let at = |name: &str| gradstudy.path().join(name);
    std::fs::create_dir(at("sub")).unwrap();
    std::fs::write(at("sub/a.study"), study).unwrap();
    if beside {
        std::fs::write(at("sub/x.csv"), numbers(0.0)).unwrap();
    }
    if top {
        std::fs::write(at("x.csv"), numbers(0.3)).unwrap();
    }
    gradstudy
}

/// Ids of the steps of a plan.
fn plan(gradstudy: &Gradstudy, from: &str, study: &str) -> String {
    let mut command = gradstudy.command(&["plan", study, "--steps"]);
    command.current_dir(gradstudy.path().join(from));
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

#[test]
fn the_folder_of_the_study_comes_first_and_the_working_directory_with_a_warning() {
    let both = folder(STUDY, true, true);
    let said = both.run(&["check", "sub/a.study"]).success();
    assert!(!said.stderr.contains("W0108"), "{}", said.stderr);
    let old = folder(STUDY, false, true);
    let said = old.run(&["check", "sub/a.study"]).success();
    assert!(
        said.stderr.contains("W0108") && said.stderr.contains("write `../x.csv`"),
        "{}",
        said.stderr
    );
    let neither = folder(STUDY, false, false).run(&["check", "sub/a.study"]);
    assert_eq!(neither.code, Some(2));
    assert!(neither.stderr.contains("E0508"), "{}", neither.stderr);
    // The command line's paths are those of where it is typed.
    let said = old
        .run(&["check", "sub/a.study", "--set", "g.path=\"x.csv\""])
        .success();
    assert!(!said.stderr.contains("W0108"), "{}", said.stderr);
}

#[test]
fn a_study_is_the_same_wherever_it_is_started_and_a_used_file_looks_beside_itself() {
    let gradstudy = folder(STUDY, true, false);
    assert_eq!(
        steps(&plan(&gradstudy, ".", "sub/a.study")),
        steps(&plan(&gradstudy, "sub", "a.study"))
    );
    std::fs::write(gradstudy.path().join("top.study"), "use \"sub/a.study\"\n").unwrap();
    let said = gradstudy.run(&["check", "top.study"]).success();
    assert!(!said.stderr.contains("W0108"), "{}", said.stderr);
    // Resolved studies hold what was written.
    let resolved = gradstudy
        .run(&["render", "--resolved", "top.study"])
        .success()
        .stdout;
    assert!(resolved.contains("path: x.csv"), "{resolved}");
}

/// The ids in a plan, in their order.
fn steps(plan: &str) -> Vec<String> {
    let hex = |word: &&str| word.len() >= 8 && word.chars().all(|c| c.is_ascii_hexdigit());
    let words = plan.split(|c: char| !c.is_alphanumeric());
    let ids: Vec<String> = words.filter(hex).map(str::to_string).collect();
    assert!(!ids.is_empty(), "{plan}");
    ids
}
