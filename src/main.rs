//! The `gradstudy` command: see [`gradstudy::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    gradstudy::cli::main()
}
