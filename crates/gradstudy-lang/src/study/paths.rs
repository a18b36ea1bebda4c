//! Paths of files that a study names: they are relative to the folder of the study, or of the used file, that writes them.

use std::path::{Path, PathBuf};

use super::arguments::Scope;
use crate::syntax::{Diagnostic, Sources, Span};
use gradstudy_base::signature::FilePath;

/// The folders of a study's texts, each with the first byte of its text.
#[derive(Debug, Default)]
pub(super) struct Folders(Vec<(usize, PathBuf)>);

impl Folders {
    /// Those of `sources`; what the command line sets has none, its paths are relative to the working directory.
    pub fn of(sources: &Sources) -> Folders {
        let folder = |path: &Path| path.parent().map(Path::to_path_buf).unwrap_or_default();
        let all = sources
            .placed()
            .map(|(base, source)| (base, folder(&source.path)));
        Folders(all.collect())
    }

    fn at(&self, span: Span) -> &Path {
        let after = self.0.partition_point(|(base, _)| *base <= span.start);
        match self.0.get(after.wrapping_sub(1)) {
            Some((_, folder)) => folder,
            None => Path::new(""),
        }
    }
}

impl Scope<'_> {
    /// Where the path `written` at `span` leads. One that leads nowhere from its study's folder, but somewhere from the
    /// working directory, is taken from there with a warning: earlier versions did so.
    pub(super) fn path(&mut self, written: &str, span: Span) -> FilePath {
        let folder = self.names.folders.at(span);
        let joined = folder.join(written);
        let file = |path: &Path| FilePath {
            written: written.to_string(),
            path: path.to_string_lossy().into_owned(),
        };
        if !exists(&joined) && exists(Path::new(written)) {
            let message = format!("`{written}` is taken from the working directory");
            let help = format!(
                "paths are relative to the folder of the study; write `{}`",
                from_folder(folder, written)
            );
            let told = Diagnostic::warning("W0108", message, span, "not in the study's folder");
            self.say(told.help(help));
            return file(Path::new(written));
        }
        file(&joined)
    }
}

/// Whether there is such a file or folder; behind a last colon may stand what is meant in it (`FILE.npz:ARRAY`).
fn exists(path: &Path) -> bool {
    let text = path.to_string_lossy();
    path.exists() || matches!(text.rsplit_once(':'), Some((file, _)) if Path::new(file).exists())
}

/// The path from `folder` to what `written` is in the working directory.
pub(super) fn from_folder(folder: &Path, written: &str) -> String {
    // The empty path is the working directory.
    let absolute = |path: &Path| std::path::absolute(Path::new(".").join(path)).ok();
    let (Some(from), Some(to)) = (absolute(folder), absolute(Path::new(written))) else {
        return written.to_string();
    };
    let common = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.components().skip(common).map(|_| "..".to_string());
    let down = to.components().skip(common);
    let down = down.map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_rewritten_from_the_study_s_folder() {
        assert_eq!(from_folder(Path::new("studies"), "data/x.npy"), "../data/x.npy");
        assert_eq!(from_folder(Path::new("a/b"), "a/x.npz:g"), "../x.npz:g");
    }
}
