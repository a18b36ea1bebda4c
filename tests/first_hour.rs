//! docs/first_hour.md is a session that can be typed: each command, and what it prints but for times, sizes and dates.
//! `GRADSTUDY_BLESS=1` writes anew what is printed.

use std::path::Path;
use std::process::Command;

use crate::support::Gradstudy;

/// What stands before a command in the document, and before what it prints.
const PROMPT: &str = "    $ ";
const INDENT: &str = "    ";

/// A command and the lines that the document shows of it.
struct Entry {
    command: String,
    shown: Vec<String>,
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/first_hour.md");
    std::fs::read_to_string(path).unwrap()
}

fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut within = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix(PROMPT) {
            let (command, shown) = (command.to_string(), Vec::new());
            entries.push(Entry { command, shown });
            within = true;
        } else if within && (line.starts_with(INDENT) || line.is_empty()) {
            let line = line.strip_prefix(INDENT).unwrap_or(line).to_string();
            entries.last_mut().unwrap().shown.push(line);
        } else {
            within = false;
        }
    }
    for entry in &mut entries {
        while entry.shown.last().is_some_and(String::is_empty) {
            entry.shown.pop();
        }
    }
    entries
}

/// Numbers, dates, names made of them and dashes in their place as `#`, units left out: they differ from run to run.
fn fixed(text: &str) -> String {
    const UNITS: [&str; 8] = ["ms", "s", "min", "h", "kB", "MB", "GB", "GFLOP"];
    let is_apart = |c: char| c.is_whitespace() || "/(),;".contains(c);
    let word = |word: &str| -> String {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let like_a_number = digits > 0
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || ".:-×⁻⁰¹²³⁴⁵⁶⁷⁸⁹−%\u{202f}".contains(c));
        let dated = digits >= 8;
        match word {
            "-" => "#".to_string(),
            unit if UNITS.contains(&unit) => String::new(),
            _ if like_a_number || dated => "#".to_string(),
            word => word.to_string(),
        }
    };
    let line = |line: &str| {
        let line = line.replace('─', "");
        let words = line.split(is_apart).filter(|it| !it.is_empty()).map(word);
        let words: Vec<String> = words.filter(|it| !it.is_empty()).collect();
        words.join(" ")
    };
    let lines: Vec<String> = text.lines().map(line).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

#[test]
fn a_newcomer_sees_what_the_document_says() {
    let text = document();
    let gradstudy = Gradstudy::new("");
    let program = Path::new(env!("CARGO_BIN_EXE_gradstudy"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let studies = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
    std::os::unix::fs::symlink(studies, gradstudy.path().join("studies")).unwrap();
    std::fs::remove_file(gradstudy.path().join("test.study")).unwrap();
    let bless = std::env::var_os("GRADSTUDY_BLESS").is_some();
    let (mut blessed, mut count) = (text.clone(), 0);
    for entry in entries(&text) {
        // What builds or downloads is not run here.
        if !entry.command.starts_with("gradstudy ") && !entry.command.starts_with("sed ") {
            continue;
        }
        let mut command = Command::new("sh");
        command
            .args(["-c", &entry.command])
            .current_dir(gradstudy.path())
            .env("PATH", &path);
        command
            .env("GRADSTUDY_CACHE", gradstudy.path().join("cache"))
            .env("HOME", gradstudy.path());
        command
            .env_remove("GRADSTUDY_DATA")
            .env_remove("GRADSTUDY_DEVICE");
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        count += 1;
        if bless {
            let block = |lines: &str| {
                let lines = lines.lines().map(|line| match line.trim_end() {
                    "" => "\n".to_string(),
                    line => format!("{INDENT}{line}\n"),
                });
                lines.collect::<String>()
            };
            let old = format!("{PROMPT}{}\n{}", entry.command, block(&entry.shown.join("\n")));
            let new = format!("{PROMPT}{}\n{}", entry.command, block(said.trim_end()));
            assert!(blessed.contains(&old), "{old}");
            blessed = blessed.replacen(&old, &new, 1);
            continue;
        }
        let shown = entry.shown.join("\n");
        assert_eq!(
            fixed(said.trim_end()),
            fixed(&shown),
            "$ {}\n{said}\n{told}",
            entry.command
        );
    }
    assert!(count >= 8, "{count} commands");
    if bless {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/first_hour.md");
        std::fs::write(path, blessed).unwrap();
    }
}
