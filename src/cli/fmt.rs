//! `gradstudy fmt STUDY…`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;

use crate::syntax::{self, Source};

use super::{Failure, print, show};

/// Lines compared to find those that two texts share; beyond it the changed part is shown as a whole.
const MAX_COMPARED: usize = 4_000_000;

/// Write studies in their canonical layout
///
/// Comments stay. A file that does not parse is not touched. Exit code 0: done; 1: --check found a file that would
/// change; 2: a file could not be read, parsed or written.
#[derive(Debug, Args)]
pub struct Fmt {
    /// Change nothing; show what would change
    #[arg(long)]
    check: bool,
    /// The .study files, or folders of them
    #[arg(required = true, value_name = "STUDY")]
    studies: Vec<PathBuf>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{path}` cannot be written")]
#[diagnostic(
    code(gradstudy::fmt::write),
    help("check that you may write the file and its folder; it is as it was")
)]
struct WriteError {
    path: PathBuf,
    source: io::Error,
}

impl Fmt {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let mut code = 0;
        for path in &super::study::studies_in(&self.studies)? {
            code = code.max(match self.format(path) {
                Ok(code) => code,
                Err(error) => {
                    show(error.as_ref());
                    2
                }
            });
        }
        Ok(ExitCode::from(code))
    }

    fn format(&self, path: &Path) -> Result<u8, Box<dyn Diagnostic>> {
        let source = Source::read(path)?;
        let text = syntax::format(&source)?;
        if *text == *source.text {
            return Ok(0);
        }
        if self.check {
            print(&format!("{} would change\n", path.display()));
            print(&changes(&source.text, &text));
            return Ok(1);
        }
        let fail = |source| WriteError {
            path: path.to_path_buf(),
            source,
        };
        write(path, &text).map_err(fail)?;
        print(&format!("{} formatted\n", path.display()));
        Ok(0)
    }
}

/// Replaces a file's text, wholly or not at all; its permissions, and a link to it, stay.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let permissions = std::fs::metadata(&path)?.permissions();
    // Renaming would get round a file's write protection.
    if permissions.readonly() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".fmt-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&path).map(drop).map_err(|error| error.error)
}

/// The lines that differ, with their numbers: `-` as they are, `+` as they would be.
fn changes(old: &str, new: &str) -> String {
    // A last line without a line end differs from one with it.
    let lines = |text: &str| text.split_inclusive('\n').map(String::from).collect::<Vec<_>>();
    let (old, new) = (lines(old), lines(new));
    let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (left, right) = (&old[first..], &new[first..]);
    let mut out = String::new();
    let mut line = |sign: char, number: usize, text: &str| {
        out.push_str(&format!(
            "{sign}{:>5}  {}\n",
            number + 1,
            text.trim_end_matches(['\r', '\n'])
        ));
    };
    let (mut i, mut j) = (0, 0);
    let shared = shared(left, right);
    for (a, b) in shared.into_iter().chain([(left.len(), right.len())]) {
        (i..a).for_each(|i| line('-', first + i, &left[i]));
        (j..b).for_each(|j| line('+', first + j, &right[j]));
        (i, j) = (a + 1, b + 1);
    }
    out
}

/// A longest common subsequence, as pairs of indices.
fn shared(left: &[String], right: &[String]) -> Vec<(usize, usize)> {
    let (rows, columns) = (left.len(), right.len());
    if rows * columns > MAX_COMPARED {
        return Vec::new();
    }
    // longest[i][j]: the length of one of left[i..] and right[j..].
    let mut longest = vec![vec![0u32; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            longest[i][j] = if left[i] == right[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut pairs, mut i, mut j) = (Vec::new(), 0, 0);
    while i < rows && j < columns {
        if left[i] == right[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_the_lines_that_differ() {
        let shown = changes("a\nb\nc\nd\n", "a\nx\nc\nd\ne\n");
        assert_eq!(shown, "-    2  b\n+    2  x\n+    5  e\n");
        assert_eq!(changes("a\n", "a\n"), "");
        assert_eq!(changes("a", "a\n"), "-    1  a\n+    1  a\n");
    }
}
