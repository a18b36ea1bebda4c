//! A study's text and where it came from.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// The text of a study and its path (shown in errors; its stem names the study's reports).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub path: PathBuf,
    pub text: Arc<str>,
    /// Texts that hold for the files of these paths, whatever these say now: what a study was taken over with.
    pub kept: Arc<[(PathBuf, Arc<str>)]>,
}

/// Bytes that a study may have: more than anyone writes, and checked in a moment.
const MAX_BYTES: u64 = 1 << 20;

/// A study that cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SourceError {
    #[error("there is no file `{path}`")]
    #[diagnostic(
        code(gradstudy::syntax::not_found),
        help("studies are text files ending in `.study`; check the path")
    )]
    NotFound { path: PathBuf },

    #[error("`{path}` is a directory, not a study")]
    #[diagnostic(code(gradstudy::syntax::directory), help("name one `.study` file inside it"))]
    Directory { path: PathBuf },

    #[error("`{path}` is not UTF-8 text: byte {offset} begins no character")]
    #[diagnostic(code(gradstudy::syntax::not_utf8), help("save the file as UTF-8"))]
    NotUtf8 { path: PathBuf, offset: usize },

    #[error("`{path}` is larger than a study may be (1 MiB)")]
    #[diagnostic(
        code(gradstudy::syntax::too_large),
        help("is it a study? Large lists belong into several studies, data into files of their own")
    )]
    TooLarge { path: PathBuf },

    #[error("`{path}` cannot be read")]
    #[diagnostic(code(gradstudy::syntax::unreadable), help("check that you may read the file"))]
    Unreadable { path: PathBuf, source: std::io::Error },
}

impl Source {
    /// A source that did not come from a file (a test, an editor's buffer).
    pub fn new(path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> Source {
        Source {
            path: path.into(),
            text: text.into(),
            kept: Arc::default(),
        }
    }

    /// The file at `path` as this study was taken over with it, else as it is now.
    ///
    /// # Errors
    /// There is no such file, or it is no text.
    pub fn beside(&self, path: &Path) -> Result<Source, SourceError> {
        let known = self.kept.iter().find(|(known, _)| known == path);
        let source = match known {
            Some((path, text)) => Source::new(path.clone(), text.clone()),
            None => Source::read(path)?,
        };
        Ok(Source {
            kept: self.kept.clone(),
            ..source
        })
    }

    /// Reads the file at `path`; a byte-order mark at its start is dropped.
    pub fn read(path: impl AsRef<Path>) -> Result<Source, SourceError> {
        let path = path.as_ref().to_path_buf();
        if path.is_dir() {
            return Err(SourceError::Directory { path });
        }
        match gradstudy_base::files::open(&path) {
            Ok(file) => Source::of(path, file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(SourceError::NotFound { path }),
            Err(source) => Err(SourceError::Unreadable { path, source }),
        }
    }

    /// Reads a study to its end from `input`, which is called `path`; a byte-order mark at its start is dropped.
    pub fn of(path: impl Into<PathBuf>, input: impl Read) -> Result<Source, SourceError> {
        let (path, mut bytes) = (path.into(), Vec::new());
        match input.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > MAX_BYTES => return Err(SourceError::TooLarge { path }),
            Ok(_) => {}
            Err(source) => return Err(SourceError::Unreadable { path, source }),
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(path, text.strip_prefix('\u{feff}').unwrap_or(&text))),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                Err(SourceError::NotUtf8 { path, offset })
            }
        }
    }

    /// Line and column of the byte `offset`, both from 1; a column is a character.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..offset.min(self.text.len())];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// The file's name without `.study`, or `study` where there is none.
    pub fn stem(&self) -> &str {
        self.path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .filter(|stem| !stem.is_empty())
            .unwrap_or("study")
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self
            .text
            .read_span(span, context_lines_before, context_lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.display().to_string(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let source = Source::new("a.study", "é = 1\n# ü\n");
        let places = [0, 2, 7, 11, 12].map(|offset| source.line_column(offset));
        assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 4), (3, 1)]);
    }

    #[test]
    fn a_text_that_was_taken_over_holds_for_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (used, other) = (
            folder.path().join("used.study"),
            folder.path().join("other.study"),
        );
        std::fs::write(&used, "now").unwrap();
        std::fs::write(&other, "other").unwrap();
        let mut source = Source::new("a.study", "");
        source.kept = Arc::new([(used.clone(), "then".into())]);
        let beside = source.beside(&used).unwrap();
        assert_eq!((&*beside.text, &beside.kept), ("then", &source.kept));
        assert_eq!(&*source.beside(&other).unwrap().text, "other");
    }

    #[test]
    fn each_unreadable_file_has_its_own_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.study");
        assert!(matches!(Source::read(&path), Err(SourceError::NotFound { .. })));
        assert!(matches!(
            Source::read(folder.path()),
            Err(SourceError::Directory { .. })
        ));
        std::fs::write(&path, b"study \xff").unwrap();
        assert!(matches!(
            Source::read(&path),
            Err(SourceError::NotUtf8 { offset: 6, .. })
        ));
        std::fs::write(&path, "\u{feff}study \"a\"").unwrap();
        let source = Source::read(&path).unwrap();
        assert_eq!((&*source.text, source.stem()), ("study \"a\"", "a"));
    }
}
