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
        for path in ["src", "templates", "grammar", "references", "Cargo.lock"] {
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
    // Names of functions are half of the binary. Cargo's `strip` does nothing beside settings of single packages.
    if variable("PROFILE") == "release" && variable("CARGO_CFG_TARGET_OS") == "linux" {
        println!("cargo:rustc-link-arg-bins=-s");
    }
}

/// What git says, if there is a git and this is its repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_string())
}
