//! What is seen at a terminal of 80 columns, and what is left in logs.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gradstudy::report::{Screen, ScreenGrid};
use unicode_width::UnicodeWidthStr;

use crate::support::{Gradstudy, tools};

/// The table of `gradstudy new`'s quickstart, of less.
const SMALL: &str = r#"
study "My first study, with a title that is long enough for a narrow terminal" { seeds: 0 }
data  fashion = fashion_mnist_5k(subset: 600, normalize: global)
model lenet   = lenet(logits: 10)
record g = gradients(of: lenet, on: fashion, batch: 3, iterations: 70)
test tails = power_law(g, tail: top(50), alpha: 5%)
test bell  = normality(g, points: 20, alpha: 5%)
table results {
  of: [tails, bell]
  rows: [dataset, training, sg_type]
  columns: [d_ks, d_c, power_law_rate, p_value, gaussian_rate]
}
"#;

/// What a terminal of 80 × 24 shows after `arguments`, all that has scrolled away included; lines that the terminal broke
/// are joined again.
fn seen(gradstudy: &Gradstudy, arguments: &[&str]) -> String {
    // A server that ends is in the way of the next one.
    static SERVERS: AtomicUsize = AtomicUsize::new(0);
    let number = SERVERS.fetch_add(1, Ordering::Relaxed);
    let socket = gradstudy.path().join(format!("tmux-{number}"));
    let done = gradstudy.path().join("done");
    let _ = fs::remove_file(&done);
    let quoted: Vec<String> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "'{}' {}; touch '{}'; sleep 600",
        env!("CARGO_BIN_EXE_gradstudy"),
        quoted.join(" "),
        done.display()
    );
    let tmux = |arguments: &[&str]| {
        // The environment of the binary in its folder.
        let model = gradstudy.command(&[]);
        let mut command = Command::new("tmux");
        for (name, value) in model.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .args(["-f", "/dev/null", "-S"])
            .arg(&socket)
            .args(arguments)
            .current_dir(gradstudy.path())
            .env("LC_ALL", "C.UTF-8")
            .env_remove("COLUMNS")
            .env_remove("TMUX");
        command.output().unwrap()
    };
    let started = tmux(&["new-session", "-d", "-x", "80", "-y", "24", &script]);
    assert!(started.status.success(), "{started:?}");
    let begin = Instant::now();
    while !done.exists() && begin.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(50));
    }
    // What was written must still reach the screen.
    std::thread::sleep(Duration::from_millis(300));
    let shown = tmux(&["capture-pane", "-p", "-J", "-S", "-"]);
    tmux(&["kill-server"]);
    assert!(done.exists(), "{arguments:?} has not ended");
    String::from_utf8(shown.stdout).unwrap()
}

/// Words that hold digits.
fn numbers(text: &str) -> Vec<&str> {
    // A run's name may go on behind the study's.
    let words = text.split([' ', '\n', '/']);
    words
        .filter(|word| word.contains(|it: char| it.is_ascii_digit()))
        .collect()
}

#[test]
fn nothing_is_broken_at_80_columns() {
    if !tools::tmux() {
        return;
    }
    let gradstudy = Gradstudy::new(SMALL);
    gradstudy.run(&["run", "test.study"]).success();
    std::thread::sleep(Duration::from_millis(1100));
    gradstudy
        .run(&["run", "test.study", "--set", "g.batch=4"])
        .success();
    let [a, b] = &gradstudy.runs()[..] else {
        panic!("two runs")
    };
    let [a, b] = [a, b].map(|run| run.file_name().unwrap().to_str().unwrap().to_string());
    let narrow = |text: &str, what: &str| {
        let wide = text.lines().find(|line| line.trim_end().width() > 80);
        assert_eq!(wide, None, "{what}:\n{text}");
    };
    let run = seen(
        &gradstudy,
        &["run", "test.study", "--set", "g.batch=5", "--cache-dir", "other"],
    );
    narrow(&run, "run");
    assert!(run.contains("SG type") && run.contains("report in"), "{run}");
    for arguments in [
        &["show", &a][..],
        &["list"],
        &["plan", "test.study"],
        &["plan", "test.study", "--set", "g.batch=6"],
        &["plan", "test.study", "--set", "g.batch=6", "--steps"],
        &["diff", &a, &b],
        &["gc"],
        &["devices"],
        &["data", "list"],
    ] {
        let shown = seen(&gradstudy, arguments);
        narrow(&shown, arguments[0]);
        let file = gradstudy.run(arguments).stdout;
        for number in numbers(&file).into_iter().filter(|number| number.width() < 60) {
            assert!(
                numbers(&shown).contains(&number),
                "{arguments:?} lacks {number}:\n{shown}"
            );
        }
    }
}

#[test]
fn a_log_is_readable_without_a_terminal() {
    let gradstudy = Gradstudy::new(SMALL);
    let log = fs::File::create(gradstudy.path().join("nohup.out")).unwrap();
    let status = gradstudy
        .command(&["run", "test.study"])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .status()
        .unwrap();
    assert!(status.success());
    let text = fs::read_to_string(gradstudy.path().join("nohup.out")).unwrap();
    assert!(
        !text.contains(|it: char| it.is_control() && it != '\n'),
        "{text:?}"
    );
    assert!(text.starts_with("7 steps: 7 to make, 0 in the cache\n"), "{text}");
    let numbered: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
    let numbers: Vec<String> = (1..=7).map(|number| format!("[{number}/7] ")).collect();
    assert!(numbered.len() >= 7, "{text}");
    for number in numbers {
        let line = numbered
            .iter()
            .find(|line| line.starts_with(&number) && line.contains("done in"));
        assert!(line.is_some(), "{number} is missing:\n{text}");
    }
    assert!(
        text.contains("test tails: power_law along dimension of "),
        "{text}"
    );
    let again = gradstudy.run(&["run", "test.study"]).success();
    assert_eq!(
        again.stderr,
        "7 steps: nothing to make, 4 are in the cache, 3 needed by none of them\n"
    );
    let quiet = gradstudy
        .run(&["run", "test.study", "--quiet", "--set", "g.batch=4"])
        .success();
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.contains("SG type"), "{}", quiet.stdout);
}

#[test]
fn programs_read_the_log_and_the_result() {
    let gradstudy = Gradstudy::new(&SMALL.replace("iterations: 70", "iterations: 70, keep: true"));
    let said = gradstudy
        .run(&["run", "test.study", "--log-format", "json", "--json"])
        .success();
    let events: Vec<serde_json::Value> = said
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert_eq!(events[0]["format_version"], 1);
    assert_eq!(
        (&events[0]["event"], &events[0]["to_make"]),
        (&"plan".into(), &7.into())
    );
    let of = |name: &str| events.iter().filter(|it| it["event"] == name).count();
    assert_eq!(
        (of("begin"), of("end"), of("finished")),
        (7, 7, 1),
        "{}",
        said.stderr
    );
    let last = events.iter().rev().find(|it| it["event"] == "end").unwrap();
    assert_eq!((&last["number"], &last["of"]), (&7.into(), &7.into()));
    assert!(events.iter().all(|it| it["time"].is_string()));

    let run: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(
        (&run["format_version"], &run["steps"]["failed"]),
        (&1.into(), &0.into())
    );
    assert_eq!(run["steps"]["reused"], 0);
    let folder = gradstudy.path().join(run["folder"].as_str().unwrap());
    assert!(folder.join("manifest.yaml").is_file());
    let files = run["tables"][0]["files"].as_array().unwrap();
    assert_eq!(files.len(), 5, "{files:?}");
    for file in files {
        assert!(gradstudy.path().join(file.as_str().unwrap()).is_file(), "{file}");
    }
    // A mistake is an event, too.
    fs::write(
        gradstudy.path().join("bad.study"),
        "test t = power_law(nothing)\n",
    )
    .unwrap();
    let bad = gradstudy.run(&["run", "bad.study", "--log-format", "json"]);
    assert_eq!(bad.code, Some(2));
    for line in bad.stderr.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["event"], "error", "{line}");
    }
}

#[test]
fn a_plan_is_summed_by_statement() {
    let study = SMALL
        .replace("seeds: 0 }", "seeds: 0..2 }")
        .replace("record g", "train p = sgd(lr: 0.05) { of: lenet on: fashion epochs: 1 batch: 50 }\nvary w in [lenet, p]\nrecord g")
        .replace("of: lenet, on", "of: w, on");
    let gradstudy = Gradstudy::new(&study);
    let plan = |arguments: &[&str]| {
        let all = [&["plan", "test.study"], arguments].concat();
        gradstudy.run(&all).success().stdout
    };
    insta::assert_snapshot!(plan(&[]));
    let json: serde_json::Value = serde_json::from_str(&plan(&["--json"])).unwrap();
    assert_eq!(json["format_version"], 1);
    let steps = json["steps"].as_array().unwrap();
    assert_eq!(json["to_run"]["steps"], steps.len());
    let tails = json["groups"].as_array().unwrap();
    let tails = tails.iter().find(|it| it["statement"] == "tails").unwrap();
    assert_eq!(
        (
            &tails["steps"],
            &tails["over"]["w"],
            &tails["over"]["seed"],
            &tails["over"]["direction"]
        ),
        (&12.into(), &2.into(), &3.into(), &2.into())
    );
    assert_eq!(plan(&["--steps"]).matches("not run before").count(), 27);

    gradstudy.run(&["run", "test.study"]).success();
    let done = plan(&[]);
    assert!(
        done.ends_with("everything is in the cache: a run would make none of these steps\n"),
        "{done}"
    );
    let changed = plan(&["--set", "p.epochs=2"]);
    assert!(
        changed.contains("train p: changed since the last run: epochs (1, now 2)\n")
            && changed.contains("test tails: made from p, which has changed\n"),
        "{changed}"
    );
    let longer = plan(&["--set", "g.iterations=80"]);
    assert!(
        longer.contains("record g: changed since the last run: T = 80 (was T = 70)\n")
            && longer.contains("test bell: made from g, which has changed\n"),
        "{longer}"
    );
    let seeds = plan(&["--set", "study.seeds=0..3"]);
    assert!(
        seeds.contains("train p: not run before with this seed\n"),
        "{seeds}"
    );
    // Steps of another study in the same cache explain nothing.
    fs::write(
        gradstudy.path().join("other.study"),
        study.replace("epochs: 1", "epochs: 3"),
    )
    .unwrap();
    let other = gradstudy.run(&["plan", "other.study"]).success().stdout;
    assert!(
        other.contains("train p: not run before\n") && !other.contains("changed since"),
        "{other}"
    );
}

fn screen(width: usize) -> Screen {
    Screen {
        width: Some(width),
        colour: false,
    }
}

#[test]
fn words_are_folded_and_numbers_are_not() {
    let mut grid = ScreenGrid::new(["run", "title", "took"])
        .align_right([2])
        .fold([1]);
    grid.add_row([
        "a/20260101-000000-aaaa1111",
        "Gradients of a small network",
        "1.25 s",
    ]);
    grid.add_row(["b/20260102-000000-bbbb2222", "Short", "12 min 03 s"]);
    assert_eq!(grid.show(&Screen::default()), grid.show(&screen(90)));
    insta::assert_snapshot!(grid.show(&screen(60)));
    insta::assert_snapshot!(grid.show(&screen(40)));
}

#[test]
fn a_table_is_turned_round_where_that_fits() {
    let mut grid = ScreenGrid::new(["Data", "SG type", "d_ks", "Power-law rate", "Gaussian rate"])
        .align_right(2..5)
        .fold([0, 1])
        .turning(2);
    grid.add_row(["MNIST", "Dimension", "0.0247\n(0.0355)", "98.2 %", "0.66 %"]);
    grid.add_row(["MNIST", "Iteration", "0.196\n(0.191)", "0.106 %", "68.0 %"]);
    insta::assert_snapshot!(grid.show(&screen(46)));
    insta::assert_snapshot!(grid.show(&screen(36)));
}
