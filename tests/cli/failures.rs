//! Runs that fail or are stopped: nothing that was computed is lost.

use super::*;
use crate::support::recorded;

#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn five_mistakes_are_five_diagnostics() {
    let study = SMALL
        .replace("points: 20", "points: 3")
        .replace("44_426", "44_425")
        .replace("lr: 0.05", "lr: fast")
        .replace("batch: 3", "bach: 3")
        .replace("power_law(g,", "power_law(h,");
    let said = Gradstudy::new(&study).run(&["check", "test.study"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("5 mistakes"), "{}", said.stderr);
    assert_eq!(said.stderr.matches("Error: E0").count(), 5, "{}", said.stderr);
    assert!(said.stderr.contains("did you mean `batch`"), "{}", said.stderr);
}

#[test]
fn a_missing_data_set_says_where_it_was_looked_for_and_how_to_get_it() {
    let gradstudy = Gradstudy::new(&SMALL.replace("fashion_mnist_5k(subset: 600)", "mnist(subset: 600)"));
    let said = gradstudy.run(&["run", "test.study", "--data-dir", "here"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("here/mnist") && said.stderr.contains("gradstudy data fetch mnist"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_truncated_data_file_is_named() {
    let gradstudy = Gradstudy::new(&SMALL.replace("fashion_mnist_5k(subset: 600)", "mnist(subset: 600)"));
    let folder = gradstudy.path().join("data/mnist");
    fs::create_dir_all(&folder).unwrap();
    let embedded = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/gradstudy-data/src/embedded");
    for (name, keep) in [
        ("train-images-idx3-ubyte.gz", 1000),
        ("train-labels-idx1-ubyte.gz", usize::MAX),
    ] {
        let bytes = fs::read(embedded.join(name)).unwrap();
        fs::write(folder.join(name), &bytes[..keep.min(bytes.len())]).unwrap();
    }
    let said = gradstudy.run(&["run", "test.study", "--data-dir", "data"]);
    assert_eq!(said.code, Some(1), "the step failed: {}", said.stderr);
    assert!(
        said.stderr.contains("train-images-idx3-ubyte.gz"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("gradstudy data"),
        "the remedy is named: {}",
        said.stderr
    );
}

#[test]
fn an_unwritable_report_folder_is_said_before_the_work() {
    let gradstudy = Gradstudy::new(SMALL);
    fs::write(gradstudy.path().join("blocked"), "a file").unwrap();
    let said = gradstudy.run(&["run", "test.study", "--reports-dir", "blocked"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("blocked") && said.stderr.contains("--reports-dir"),
        "{}",
        said.stderr
    );
    assert!(
        !gradstudy.path().join("cache/steps").exists(),
        "nothing was begun"
    );
    gradstudy.run(&["run", "test.study"]).success();
}

#[test]
fn a_full_disk_is_named_and_a_rerun_goes_on() {
    let gradstudy = Gradstudy::new(&SMALL.replace("seeds: [0, 1]", "seeds: 0"));
    let small = gradstudy.path().join("small");
    fs::create_dir(&small).unwrap();
    // Room for the trained weights and for what is found of each row (5 MB), not for a gradient history of 12 MB.
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=11m", "tmpfs"])
        .arg(&small)
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!("skipped: no small file system can be mounted here");
        return;
    }
    let full = gradstudy.run(&["run", "test.study", "--cache-dir", "small", "--memory", "1MB"]);
    let rerun = gradstudy.run(&["run", "test.study", "--cache-dir", "small"]);
    Command::new("umount").arg(&small).status().unwrap();
    assert_eq!(full.code, Some(2), "{}", full.stderr);
    assert!(
        full.stderr.contains("history.f32") && full.stderr.contains("--cache-dir"),
        "{}",
        full.stderr
    );
    rerun.success();
}

/// Sends `signal` to a run once it is `ready` for it, and returns its exit code.
#[cfg(unix)]
fn interrupt(
    gradstudy: &Gradstudy,
    arguments: &[&str],
    signal: &str,
    ready: impl Fn(Duration) -> bool,
) -> Option<i32> {
    let mut child = gradstudy
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !ready(begun.elapsed()) && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "the run never came so far");
        std::thread::sleep(Duration::from_millis(2));
    }
    Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    child.wait().unwrap().code()
}

/// The first file of a run's cache that `mark` accepts.
#[cfg(unix)]
fn cached(gradstudy: &Gradstudy, mark: fn(&Path) -> bool) -> Option<PathBuf> {
    walkdir::WalkDir::new(gradstudy.path().join("cache"))
        .into_iter()
        .flatten()
        .map(walkdir::DirEntry::into_path)
        .find(|path| mark(path))
}

#[cfg(unix)]
#[test]
fn an_interrupted_recording_resumes_at_the_last_chunk() {
    let study = r#"
        study "Long" { seeds: 0 }
        data d = fashion_mnist_5k()
        model m = lenet()
        record g = gradients(of: m, on: d, batch: 500, iterations: 120)
        test tails = power_law(g, tail: top(20))
        table t { of: [tails] rows: [sg_type] columns: [d_ks] }
    "#;
    let whole = Gradstudy::new(study);
    let begun = Instant::now();
    whole.run(&["run", "test.study"]).success();
    let took = begun.elapsed();
    for memory in ["1GB", "1MB"] {
        // Sought between a moment before the first chunk was kept and one after the last.
        let (mut early, mut late) = (Duration::ZERO, took);
        let broken = Gradstudy::new(study);
        let arguments = ["run", "test.study", "--memory", memory];
        let mut done = 0;
        for _ in 0..12 {
            let wait = (early + late) / 2;
            match interrupt(&broken, &arguments, "-INT", |elapsed| elapsed >= wait) {
                Some(130) => {
                    let mark = cached(&broken, |path| path.ends_with("done"));
                    done = mark.map_or(0, |path| recorded(&path, 44_426));
                    match done {
                        0 => early = wait,
                        // In the test behind it.
                        120 => {
                            fs::remove_dir_all(broken.path().join("cache")).unwrap();
                            late = wait;
                        }
                        _ => break,
                    }
                }
                _ => {
                    fs::remove_dir_all(broken.path().join("cache")).unwrap();
                    late = wait;
                }
            }
        }
        assert!(
            done > 0 && done < 120,
            "no interrupted run left gradients behind ({done})"
        );
        broken.run(&arguments).success();
        let (a, b) = (whole.runs(), broken.runs());
        assert_eq!(
            read(&a[0], "results.yaml"),
            read(b.last().unwrap(), "results.yaml")
        );
    }
}

#[cfg(unix)]
#[test]
fn a_killed_training_resumes_at_the_last_epoch_with_the_same_result() {
    let study = r#"
        study "Training" { seeds: 0 }
        data d = fashion_mnist_5k()
        model m = lenet()
        train t = sgd(lr: 0.05, momentum: 0.9) { of: m on: d epochs: 8 batch: 50 }
        record g = gradients(of: t, on: d, batch: 1, iterations: 50)
        test tails = power_law(g, tail: top(20))
        table one { of: [tails] rows: [sg_type] columns: [d_ks] }
    "#;
    let (whole, broken) = (Gradstudy::new(study), Gradstudy::new(study));
    whole.run(&["run", "test.study"]).success();
    let checkpoint = |path: &Path| path.ends_with("checkpoint.safetensors");
    let kept = |_: Duration| cached(&broken, checkpoint).is_some();
    assert_eq!(interrupt(&broken, &["run", "test.study"], "-KILL", kept), None);
    assert!(cached(&broken, checkpoint).is_some(), "a checkpoint is left");
    broken.run(&["run", "test.study"]).success();
    assert_eq!(
        read(&whole.runs()[0], "results.yaml"),
        read(&broken.runs()[0], "results.yaml")
    );
}
