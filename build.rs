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
    // Functions that are the same in all but their name are kept once: a fourteenth of the binary. Rust's own linker
    // knows how; one that the user has chosen may not.
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let target = variable("TARGET");
    if variable("PROFILE") == "release"
        && target == "x86_64-unknown-linux-gnu"
        && target == variable("HOST")
        && !flags.contains("linker")
        && !flags.contains("link-arg")
        && variable("RUSTC_LINKER").is_empty()
    {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}

/// What git says, if there is a git and this is its repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_string())
}
