//! Runs the real binary in a temporary folder of its own.

pub mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::Device;
use gradstudy::device::nvidia::Installation;
use gradstudy::device::{Precision, select};
use gradstudy::execute::Observer;
use gradstudy::gradients::engine::Engine;
use gradstudy::layers::Products;
use gradstudy::plan::Step;
use tempfile::TempDir;

pub use tools::python;

/// The device of `GRADSTUDY_DEVICE` for tests of tensors, burn's CPU backend by default, and how it multiplies.
///
/// Panics if there is none such.
pub fn tensor_device() -> (Device, Products) {
    let name = std::env::var("GRADSTUDY_DEVICE").unwrap_or_else(|_| "flex".to_string());
    let selected = select(
        name.parse().unwrap(),
        Precision::F32,
        &Installation::look(|name| std::env::var_os(name)),
    );
    match selected.unwrap_or_else(|error| panic!("{name}: {error}")).engine {
        Engine::Burn(device, products) => (device, products),
        // Of tensors, `cpu` and `auto` without a GPU know burn's.
        Engine::Host => (Device::flex(), Products::Native),
    }
}

/// Stops a run, as Ctrl-C does, on its way through the step called `verb`.
pub struct StopIn<'a> {
    verb: &'static str,
    /// Units of the step's work that are done first, given how many there are.
    after: Box<dyn Fn(u64) -> u64 + Sync>,
    left: Mutex<Option<u64>>,
    cancel: &'a AtomicBool,
}

impl<'a> StopIn<'a> {
    pub fn new(
        verb: &'static str,
        after: impl Fn(u64) -> u64 + Sync + 'static,
        cancel: &'a AtomicBool,
    ) -> Self {
        StopIn {
            verb,
            after: Box::new(after),
            left: Mutex::new(None),
            cancel,
        }
    }
}

impl Observer for StopIn<'_> {
    fn begin(&self, step: &Step, total: u64, _done: u64, _unit: &str) {
        let is_it = step.key.operation.verb() == self.verb;
        *self.left.lock().unwrap() = is_it.then(|| (self.after)(total));
    }

    fn advance(&self, units: u64) {
        if let Some(left) = self.left.lock().unwrap().as_mut() {
            *left = left.saturating_sub(units);
            if *left == 0 {
                self.cancel.store(true, Ordering::Relaxed);
            }
        }
    }

    fn note(&self, _text: &str) {}
    fn end(&self, _step: &Step, _seconds: f64) {}
    fn reused(&self, _step: &Step) {}
}

/// A folder with a study, a cache and a place for reports, and the binary to run in it.
pub struct Gradstudy {
    folder: TempDir,
}

/// What a run of the binary said.
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn of(output: Output) -> Said {
        Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Fails the test unless the binary succeeded.
    #[track_caller]
    pub fn success(self) -> Said {
        assert_eq!(
            self.code,
            Some(0),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

impl Gradstudy {
    /// A fresh folder in which `study` is the file `test.study`.
    pub fn new(study: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test.study"), study).unwrap();
        Gradstudy { folder }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The binary with `arguments`, ready to start in the folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gradstudy"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env("GRADSTUDY_CACHE", self.path().join("cache"))
            .env("HOME", self.path())
            .env_remove("XDG_CACHE_HOME")
            .env_remove("GRADSTUDY_DATA")
            .env_remove("GRADSTUDY_DEVICE");
        command
    }

    /// Runs the binary.
    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }

    /// Folders of finished runs of `test.study`, oldest first.
    pub fn runs(&self) -> Vec<PathBuf> {
        let mut runs: Vec<_> = std::fs::read_dir(self.path().join("reports/test"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        runs.sort();
        runs
    }
}

/// Gradients of `parameters` numbers that an unfinished recording marks as there.
pub fn recorded(mark: &Path, parameters: usize) -> usize {
    let bytes = std::fs::read(mark).unwrap();
    let blocks = serde_json::Deserializer::from_slice(&bytes).into_iter::<serde_json::Value>();
    let blocks = blocks.take(1).next().unwrap().unwrap();
    let end = blocks.as_array().unwrap().last().unwrap()["end"]
        .as_u64()
        .unwrap() as usize;
    assert_eq!(end % (4 * parameters), 0);
    end / (4 * parameters)
}
