//! Tools that tests use where a machine has them. Each is tried on a small probe first: what is not there, or lacks a part,
//! skips a test, which is said with what is missing, or fails it where `GRADSTUDY_REQUIRE` (a list such as
//! `latex,browser,python`) names the tool.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Says that a test is skipped for want of `tool`; fails it where the tool is required.
#[track_caller]
pub fn lacks(tool: &str, what: &str) {
    let required = std::env::var("GRADSTUDY_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == tool),
        "GRADSTUDY_REQUIRE lists {tool}: {what}"
    );
    eprintln!("skipped: {what}");
}

/// A Python with the packages `modules`: that of `GRADSTUDY_PYTHON`, else `python3`.
pub fn python(modules: &[&str]) -> Option<String> {
    let python = std::env::var("GRADSTUDY_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let import = format!("import {}", modules.join(", "));
    let found = Command::new(&python).args(["-c", &import]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    lacks(
        "python",
        &format!("{python} has not all of {}", modules.join(", ")),
    );
    None
}

/// Everything that gradstudy's documents ask LaTeX for.
const LATEX_PROBE: &str = r"\documentclass{standalone}
\usepackage{iftex}
\ifpdftex\usepackage[T1]{fontenc}\usepackage{lmodern}\fi
\usepackage{geometry,float,booktabs,siunitx,longtable,xcolor,graphicx,pgfplots}
\pgfplotsset{compat=1.16}
\begin{document}\begin{tabular}{S[table-format=1.1]}1.2\end{tabular}
\begin{tikzpicture}\begin{axis}\addplot coordinates {(0,0) (1,1)};\end{axis}\end{tikzpicture}\end{document}
";

/// The LaTeX engines that compile gradstudy's documents here; none skips the test.
#[track_caller]
pub fn latex() -> Vec<&'static str> {
    static FOUND: OnceLock<Vec<Result<&'static str, String>>> = OnceLock::new();
    let found = FOUND.get_or_init(|| ["pdflatex", "lualatex"].map(try_latex).to_vec());
    for problem in found.iter().filter_map(|engine| engine.as_ref().err()) {
        lacks("latex", problem);
    }
    found
        .iter()
        .filter_map(|engine| engine.as_ref().ok().copied())
        .collect()
}

fn try_latex(engine: &'static str) -> Result<&'static str, String> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("probe.tex"), LATEX_PROBE).unwrap();
    let output = Command::new(engine)
        .args(["-interaction=nonstopmode", "-halt-on-error", "probe.tex"])
        .current_dir(directory.path())
        .output()
        .map_err(|error| format!("{engine} cannot be started ({error})"))?;
    if output.status.success() {
        return Ok(engine);
    }
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = log
        .lines()
        .find(|line| line.starts_with('!') || line.contains("not found"));
    Err(format!(
        "{engine} lacks a part of LaTeX: {}",
        line.unwrap_or("see its log")
    ))
}

/// A Chromium that shows a page.
#[track_caller]
pub fn browser() -> Option<&'static str> {
    static FOUND: OnceLock<Result<&'static str, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let mut problem = "no chromium, chromium-browser or google-chrome on this machine".to_string();
        for name in ["chromium", "chromium-browser", "google-chrome"] {
            match try_browser(name) {
                Ok(true) => return Ok(name),
                Ok(false) => problem = format!("{name} shows no page"),
                Err(_) => {}
            }
        }
        Err(problem)
    });
    if let Err(problem) = found {
        lacks("browser", problem);
    }
    found.as_ref().ok().copied()
}

fn try_browser(name: &str) -> std::io::Result<bool> {
    let directory = tempfile::tempdir()?;
    let page = directory.path().join("probe.html");
    std::fs::write(&page, "<!DOCTYPE html><p id=found>probe</p>")?;
    let output = headless(name, directory.path(), &["--dump-dom"], &page).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).contains("id=\"found\""))
}

/// A browser without a window, to be started on `page`; its profile goes to the folder `profile`.
pub fn headless(name: &str, profile: &Path, arguments: &[&str], page: &Path) -> Command {
    let mut command = Command::new(name);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()));
    command
}

/// A tmux that runs a program in a terminal of its own.
#[track_caller]
pub fn tmux() -> bool {
    let found = Command::new("tmux").arg("-V").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        lacks("tmux", "no tmux on this machine");
    }
    found
}

/// GNU parallel.
#[track_caller]
pub fn parallel() -> bool {
    let found = Command::new("parallel").arg("--version").output();
    let found = found.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU parallel"));
    if !found {
        lacks("parallel", "no GNU parallel on this machine");
    }
    found
}

/// A Slurm that answers, as scripts/slurm_up.sh starts one.
#[track_caller]
pub fn slurm() -> bool {
    let found = Command::new("sinfo").args(["--noheader", "--format=%P"]).output();
    let found = found.is_ok_and(|output| output.status.success() && !output.stdout.is_empty());
    if !found {
        lacks(
            "slurm",
            "no Slurm answers on this machine (scripts/slurm_up.sh starts one)",
        );
    }
    found
}
