//! Tells the crate which build it is: profile, target and, for a release, the commit.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let mut build = format!("{}, {}", variable("PROFILE"), variable("TARGET"));
    if std::env::var_os("CARGO_FEATURE_CUDA").is_some() {
        build += ", cuda";
    }
    // A development build is made anew all the time; asking git each time would only slow it down.
    if variable("PROFILE") == "release" {
        for path in [
            "src",
            "crates",
            "templates",
            "grammar",
            "references",
            "Cargo.lock",
        ] {
            println!("cargo:rerun-if-changed={path}");
        }
        if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
            println!("cargo:rerun-if-changed={log}");
        }
        if let Some(commit) = git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]) {
            build += &format!(", commit {commit}");
        }
    }
    println!("cargo:rustc-env=GRADSTUDY_BUILD={build}");
    // Each for as long as the linker knows it. Functions that are the same in all but their name are kept once
    // (rust-lld, the linker of Rust's own releases for Linux, does this), and nothing is moved when the program is
    // loaded, so that 4 MB of addresses to adjust are left out.
    let links_for_itself = variable("PROFILE") == "release" && variable("TARGET") == variable("HOST");
    for argument in ["-Wl,--icf=all", "-no-pie"] {
        if links_for_itself && links(argument) {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}

/// Whether a program can be linked with this argument, by the linker and flags of this build.
fn links(argument: &str) -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let folder = variable("OUT_DIR");
    let (source, program) = (format!("{folder}/probe.rs"), format!("{folder}/probe"));
    if std::fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    let mut command = Command::new(variable("RUSTC"));
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    command.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    let linker = variable("RUSTC_LINKER");
    if !linker.is_empty() {
        command.arg(format!("-Clinker={linker}"));
    }
    command
        .arg(format!("-Clink-arg={argument}"))
        .args(["-o", &program, &source]);
    command.output().is_ok_and(|output| output.status.success())
}

/// What git says, if there is a git and this is its repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_string())
}
