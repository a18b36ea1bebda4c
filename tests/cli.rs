//! The command line from end to end, on studies that take a moment.

mod failures;
mod others;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Gradstudy;

const SMALL: &str = r#"
study "A small study" { seeds: [0, 1] }
data  fashion = fashion_mnist_5k(subset: 600)
model lenet   = lenet(logits: 10) { assert parameters == 44_426 }
train short   = sgd(lr: 0.05, momentum: 0.9) { of: lenet on: fashion epochs: 2 batch: 50 decay: 0.1 at [50%] }
vary weights in [lenet, short]
record g = gradients(of: weights, on: fashion, batch: 3, iterations: 70)
test tails = power_law(g, tail: top(50))
test bell  = normality(g, points: 20)
table one { of: [tails, bell] rows: [training, sg_type] columns: [d_ks, power_law_rate, p_value, gaussian_rate] }
"#;

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn a_run_prints_its_table_and_writes_everything_down() {
    let gradstudy = Gradstudy::new(SMALL);
    let said = gradstudy.run(&["run", "test.study"]).success();
    assert!(
        said.stdout.contains("A small study") && said.stdout.contains("Pretrain"),
        "{}",
        said.stdout
    );
    let lines: Vec<&str> = said.stderr.lines().collect();
    assert!(
        lines[0].ends_with("steps: 25 to make, 0 in the cache")
            && lines.iter().any(|it| it.starts_with("[25/25] ")),
        "a log tells of every step: {lines:#?}"
    );
    let runs = gradstudy.runs();
    let [run] = &runs[..] else {
        panic!("one run, found {runs:?}")
    };
    for file in [
        "study.study",
        "resolved.yaml",
        "manifest.yaml",
        "results.yaml",
        "report.md",
        "report.html",
        "one.md",
        "one.tex",
    ] {
        assert!(!read(run, file).is_empty(), "{file} is empty");
    }
    assert_eq!(read(run, "study.study"), SMALL);
    let manifest: serde_yaml::Value = serde_yaml::from_str(&read(run, "manifest.yaml")).unwrap();
    assert_eq!(manifest["data"][0]["examples"], serde_yaml::Value::from(600));
    assert_eq!(manifest["trainings"].as_mapping().unwrap().len(), 2);
    assert!(manifest["steps"].as_sequence().unwrap().len() > 10);
}

#[test]
fn trainings_that_read_alike_are_kept_apart() {
    let study = "study \"Apart\" { seeds: 0 }\ndata d = fashion_mnist_5k(subset: 200)\n\
        model m = fcn(depth: 1, width: 4, batchnorm: false, logits: 10)\n\
        vary noise in [clean, symmetric(40%), shuffled]\nvary rate in [0.1, 0.2]\n\
        train p = sgd(lr: rate) { of: m  on: d with noise  epochs: 1  batch: 50 }\n\
        record g = gradients(of: p, on: d with noise, batch: 2, iterations: 60)\n\
        test t = normality(g, points: 20)\n\
        table r { of: t  rows: [noise, rate, sg_type]  columns: [p_value] }\n";
    let gradstudy = Gradstudy::new(study);
    gradstudy.run(&["run", "test.study"]).success();
    let manifest = read(&gradstudy.runs()[0], "manifest.yaml");
    let manifest: serde_yaml::Value = serde_yaml::from_str(&manifest).unwrap();
    let trainings = manifest["trainings"].as_mapping().unwrap();
    let labels: Vec<&str> = trainings.keys().map(|key| key.as_str().unwrap()).collect();
    assert_eq!(labels.len(), 6, "{labels:?}");
    let of = |words: &str| labels.iter().filter(|label| label.contains(words)).count();
    assert_eq!(
        (of("40 % symmetric"), of("noise = shuffled"), of("rate = 0.1")),
        (2, 2, 3),
        "{labels:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn open_shows_the_html_report() {
    use std::os::unix::fs::PermissionsExt;
    let gradstudy = Gradstudy::new(&SMALL.replace("seeds: [0, 1]", "seeds: 0"));
    // Stands for the user's browser: notes what it was asked to show.
    let programs = gradstudy.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let shown = gradstudy.path().join("shown");
    let script = format!(
        "#!/bin/sh\necho \"$1\" > '{}.new' && mv '{0}.new' '{0}'\n",
        shown.display()
    );
    for name in ["xdg-open", "gio", "gnome-open", "kde-open", "wslview"] {
        fs::write(programs.join(name), &script).unwrap();
        fs::set_permissions(programs.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = gradstudy
        .command(&["run", "test.study", "--open"])
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let wait = |_: &i32| {
        std::thread::sleep(Duration::from_millis(100));
        shown.is_file()
    };
    assert!((0..100).any(|i| wait(&i)), "no browser was started");
    let page = gradstudy.path().join(fs::read_to_string(&shown).unwrap().trim());
    let html = fs::read_to_string(page).unwrap();
    assert!(html.contains("<h1>A small study</h1>") && html.contains("gradstudy run test.study"));
}

#[test]
fn two_runs_of_one_seed_differ_in_times_alone() {
    let study = format!(
        "{SMALL}spectrum c = covariance(g, top: 60)\nfigure ranks = rank_plot(c, curves: [training], tail: 50)\n"
    );
    let both = [(), ()].map(|()| Gradstudy::new(&study));
    let runs = both.each_ref().map(|gradstudy| {
        gradstudy.run(&["run", "test.study"]).success();
        gradstudy.runs().remove(0)
    });
    let [first, second] = runs.each_ref().map(|run| read(run, "manifest.yaml"));
    let (facts, times) = first.split_once("\ntimes:\n").unwrap();
    assert_eq!(facts, second.split_once("\ntimes:\n").unwrap().0);
    // With the times of the first, the second renders to the same bytes, and so does what is no document.
    fs::write(runs[1].join("manifest.yaml"), &first).unwrap();
    both[1].run(&["report", runs[1].to_str().unwrap()]).success();
    let [first, second] = runs.each_ref().map(|run| files(run));
    assert!(first.len() > 15, "{:?}", first.keys());
    assert!(first.keys().eq(second.keys()), "{:?}", second.keys());
    for (name, bytes) in &first {
        assert!(second[name] == *bytes, "{} differs", name.display());
    }
    assert!(facts.lines().count() > 20 && times.contains("started:"));
}

/// The files of a folder and what they hold.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .map(|path| {
            (
                path.strip_prefix(folder).unwrap().to_path_buf(),
                fs::read(&path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_second_run_reuses_every_step_and_equals_the_first() {
    let gradstudy = Gradstudy::new(SMALL);
    gradstudy.run(&["run", "test.study"]).success();
    let plan = gradstudy.run(&["plan", "test.study"]).success().stdout;
    assert!(plan.contains("everything is in the cache"), "{plan}");
    let again = gradstudy.run(&["run", "test.study"]).success();
    assert!(again.stdout.contains("nothing new"), "{}", again.stdout);
    assert_eq!(gradstudy.runs().len(), 1);
    gradstudy
        .run(&["run", "test.study", "--reports-dir", "again"])
        .success();
    let mut runs = gradstudy.runs();
    let others = fs::read_dir(gradstudy.path().join("again/test")).unwrap();
    runs.extend(others.map(|entry| entry.unwrap().path()));
    assert_eq!(runs.len(), 2);
    for file in [
        "results.yaml",
        "resolved.yaml",
        "one.md",
        "one.tex",
        "one.csv",
        "one.json",
    ] {
        assert_eq!(read(&runs[0], file), read(&runs[1], file), "{file}");
    }
    let manifest: serde_yaml::Value = serde_yaml::from_str(&read(&runs[1], "manifest.yaml")).unwrap();
    let steps = manifest["times"]["steps"].as_sequence().unwrap();
    assert!(
        steps.iter().filter(|s| s["reused"] == false).count() <= 1,
        "only the data may be read again"
    );
    let (a, b) = (runs[0].to_str().unwrap(), runs[1].to_str().unwrap());
    assert_eq!(gradstudy.run(&["diff", a, b]).code, Some(0));
}

#[test]
fn threads_and_memory_do_not_change_results() {
    let results = |options: &[&str]| {
        let gradstudy = Gradstudy::new(SMALL);
        gradstudy
            .run(&[&["run", "test.study"], options].concat())
            .success();
        read(&gradstudy.runs()[0], "results.yaml")
    };
    let one = results(&["--threads", "1"]);
    assert!(
        one == results(&["--threads", "3"]),
        "the number of threads changes results"
    );
    assert!(
        one == results(&["--memory", "1MB"]),
        "a history in a file changes results"
    );
}

#[test]
fn diff_tells_same_different_and_trouble_apart() {
    let (a, b) = (
        Gradstudy::new(SMALL),
        Gradstudy::new(&SMALL.replace("batch: 3", "batch: 4")),
    );
    a.run(&["run", "test.study"]).success();
    b.run(&["run", "test.study"]).success();
    let (left, right) = (a.runs()[0].clone(), b.runs()[0].clone());
    let (left, right) = (left.to_str().unwrap(), right.to_str().unwrap());
    let said = a.run(&["diff", left, right]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.stdout.contains("batch"),
        "the setting that differs is named:\n{}",
        said.stdout
    );
    let json = a.run(&["diff", left, right, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["format_version"], 2);
    assert!(
        a.run(&["diff", left, right, "--format", "markdown"])
            .stdout
            .contains('|')
    );
    let said = a.run(&["diff", left, "nowhere"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("nowhere"), "{}", said.stderr);
}

#[test]
fn export_writes_gradients_and_weights_that_a_study_reads_back() {
    let gradstudy = Gradstudy::new(SMALL);
    let at = ["--at", "weights=short", "--seed", "1"];
    for file in ["g.npy", "g.safetensors"] {
        let said = gradstudy
            .run(&[&["export", "test.study", "--to", file], &at[..]].concat())
            .success();
        assert!(said.stdout.contains("[70, 44426]"), "{}", said.stdout);
    }
    gradstudy
        .run(
            &[
                &["export", "test.study", "--weights", "--to", "theta.safetensors"],
                &at[..],
            ]
            .concat(),
        )
        .success();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |file: &str| {
            fs::metadata(gradstudy.path().join(file))
                .unwrap()
                .permissions()
                .mode()
        };
        assert_eq!(
            mode("g.npy"),
            mode("test.study"),
            "as any file that the user makes"
        );
    }
    let npy = fs::read(gradstudy.path().join("g.npy")).unwrap();
    let tensors = fs::read(gradstudy.path().join("g.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&tensors).unwrap();
    let gradients = tensors.tensor("gradients").unwrap();
    assert_eq!(gradients.shape(), [70, 44426]);
    let array = npyz::NpyFile::new(&npy[..]).unwrap();
    assert_eq!(array.shape(), [70, 44426]);
    let bytes: Vec<u8> = array
        .into_vec::<f32>()
        .unwrap()
        .into_iter()
        .flat_map(f32::to_le_bytes)
        .collect();
    assert!(bytes == gradients.data());
    // The same gradients from the exported weights, loaded by another study.
    let loaded = SMALL
        .replace(
            "{ assert parameters == 44_426 }",
            "{ weights: \"theta.safetensors\" }",
        )
        .replace("[lenet, short]", "[lenet]")
        .replace("[0, 1]", "1");
    fs::write(gradstudy.path().join("loaded.study"), loaded).unwrap();
    gradstudy
        .run(&["export", "loaded.study", "--to", "again.npy"])
        .success();
    assert!(fs::read(gradstudy.path().join("again.npy")).unwrap() == npy);
    let said = gradstudy.run(&["export", "test.study", "--to", "g.npy", "--seed", "7"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("--at weights=short"),
        "what there is, is listed: {}",
        said.stderr
    );
    assert_eq!(
        gradstudy.run(&["export", "test.study", "--to", "g.txt"]).code,
        Some(2)
    );
}

#[test]
fn a_plan_shows_what_changed() {
    let gradstudy = Gradstudy::new(SMALL);
    gradstudy.run(&["run", "test.study"]).success();
    fs::write(
        gradstudy.path().join("test.study"),
        SMALL.replace("epochs: 2", "epochs: 3"),
    )
    .unwrap();
    let plan = gradstudy.run(&["plan", "test.study"]).success().stdout;
    assert!(
        plan.contains("changed since the last run: epochs (2, now 3)"),
        "{plan}"
    );
    assert!(plan.contains("cached "), "steps at random weights stay: {plan}");
}

#[test]
fn a_training_that_nothing_asks_for_is_not_run() {
    let train = "train spare = sgd(lr: 0.5) { of: lenet  on: fashion  epochs: 7  batch: 100 }";
    let definitions = "data fashion = fashion_mnist_5k\nmodel lenet = lenet(logits: 10)\n";
    let measures = "record g = gradients(of: lenet, on: fashion, batch: 10, iterations: 100)\n\
                    test t = normality(g, points: 50)\n\
                    table one { of: t  rows: [model]  columns: [p_value] }";
    for (study, trained) in [
        (format!("{definitions}{train}\n{measures}"), false),
        (format!("{definitions}{train}"), true),
    ] {
        let plan = Gradstudy::new(&study)
            .run(&["plan", "test.study", "--steps"])
            .success()
            .stdout;
        assert_eq!(plan.contains("7 epochs"), trained, "{plan}");
    }
}
