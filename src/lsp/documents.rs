//! The texts that an editor holds open, and what its addresses mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use lsp_types::{TextDocumentContentChangeEvent, Uri};
use walkdir::WalkDir;

use crate::syntax::Source;

use super::names::Workspace;
use super::position::Lines;
use super::project::{File, Project, identity};

/// Studies of a workspace that are looked through, and folders deep.
const MAX_STUDIES: usize = 500;
const MAX_FOLDERS_DEEP: usize = 8;

/// Open texts by their addresses, and the folders that the editor works in.
#[derive(Debug, Default)]
pub struct Documents {
    open: BTreeMap<String, Arc<File>>,
    pub folders: Vec<PathBuf>,
}

impl Documents {
    /// Takes over a text, new or changed.
    pub fn set(&mut self, uri: &Uri, text: String) {
        let file = File::new(path(uri), text);
        self.open.insert(uri.as_str().to_string(), Arc::new(file));
    }

    /// Applies changes, each to what the one before it left.
    pub fn change(&mut self, uri: &Uri, changes: Vec<TextDocumentContentChangeEvent>) {
        let Some(file) = self.get(uri) else { return };
        let mut text = file.text.to_string();
        for change in changes {
            match change.range {
                None => text = change.text,
                Some(range) => {
                    let lines = Lines::of(&text);
                    let start = lines.offset(&text, range.start);
                    let end = lines.offset(&text, range.end).max(start);
                    text.replace_range(start..end, &change.text);
                }
            }
        }
        self.set(uri, text);
    }

    /// Forgets a text that the editor closed.
    pub fn close(&mut self, uri: &Uri) {
        self.open.remove(uri.as_str());
    }

    /// The open text at an address.
    pub fn get(&self, uri: &Uri) -> Option<Arc<File>> {
        self.open.get(uri.as_str()).cloned()
    }

    /// Addresses of all open texts.
    pub fn uris(&self) -> Vec<Uri> {
        self.open
            .keys()
            .filter_map(|uri| Uri::from_str(uri).ok())
            .collect()
    }

    /// The address of a file: the editor's own if it holds the file open.
    pub fn uri(&self, file: &Path) -> Option<Uri> {
        let identity = identity(file);
        let open = self.open.iter().find(|(_, it)| it.identity == identity);
        match open {
            Some((uri, _)) => Uri::from_str(uri).ok(),
            None => uri(&identity),
        }
    }

    /// The study of an open text.
    pub fn project(&self, root: Arc<File>) -> Project {
        Project::of(root, &|path| self.held(path))
    }

    fn held(&self, path: &Path) -> Option<Arc<File>> {
        let identity = identity(path);
        self.open.values().find(|it| it.identity == identity).cloned()
    }

    /// All studies that are open or lie in the editor's folders.
    pub fn workspace(&self) -> Workspace {
        let mut files: Vec<Arc<File>> = self.open.values().cloned().collect();
        let visible = |name: &std::ffi::OsStr| !name.to_string_lossy().starts_with('.');
        for folder in &self.folders {
            let walk = WalkDir::new(folder).max_depth(MAX_FOLDERS_DEEP).into_iter();
            let walk = walk.filter_entry(|entry| {
                entry.depth() == 0 || visible(entry.file_name()) && entry.file_name() != "target"
            });
            for entry in walk.filter_map(Result::ok) {
                let is_study =
                    entry.file_type().is_file() && entry.path().extension().is_some_and(|it| it == "study");
                if !is_study || files.iter().any(|it| it.identity == identity(entry.path())) {
                    continue;
                }
                if files.len() >= MAX_STUDIES {
                    break;
                }
                if let Ok(source) = Source::read(entry.path()) {
                    files.push(Arc::new(File::new(entry.path(), source.text)));
                }
            }
        }
        let known = |path: &Path| {
            let identity = identity(path);
            files.iter().find(|it| it.identity == identity).cloned()
        };
        Workspace {
            projects: files
                .iter()
                .map(|file| Project::of(file.clone(), &known))
                .collect(),
        }
    }
}

/// The path of a `file:` address; of any other, its last part, so that it still has a name.
pub fn path(uri: &Uri) -> PathBuf {
    let text = uri.as_str();
    let Some(rest) = text.strip_prefix("file://") else {
        let name = text.rsplit(['/', ':']).next().unwrap_or("study");
        return PathBuf::from(decode(name));
    };
    // `file://host/path` has its host passed over.
    let path = decode(&rest[rest.find('/').unwrap_or(rest.len())..]);
    let drive = path.as_bytes();
    let windows = drive.len() > 2 && drive[1].is_ascii_alphabetic() && drive[2] == b':';
    PathBuf::from(if windows { path[1..].to_string() } else { path })
}

/// The `file:` address of an absolute path.
pub fn uri(path: &Path) -> Option<Uri> {
    let text = path.to_str()?.trim_start_matches(r"\\?\").replace('\\', "/");
    let mut out = String::from("file://");
    if !text.starts_with('/') {
        out.push('/');
    }
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char)
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Uri::from_str(&out).ok()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths_say_the_same() {
        let text = "/a b/é#1.study";
        let address = uri(Path::new(text)).unwrap();
        assert_eq!(address.as_str(), "file:///a%20b/%C3%A9%231.study");
        assert_eq!(path(&address), Path::new(text));
        let of = |text: &str| path(&Uri::from_str(text).unwrap());
        assert_eq!(of("file:///c%3A/x.study"), Path::new("c:/x.study"));
        assert_eq!(of("untitled:Untitled-1"), Path::new("Untitled-1"));
    }
}
