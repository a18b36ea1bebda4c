//! Where a data set comes from: its files with sizes and digests, its mirrors, licence and citation.

use super::idx::{self, IdxProblem};

/// The origin of a data set.
#[derive(Debug)]
pub struct Source {
    /// One line: licence and copyright holder.
    pub licence: &'static str,
    /// The reference to cite.
    pub citation: &'static str,
    pub origin: Origin,
}

/// How the bytes come to this machine.
#[derive(Debug)]
pub enum Origin {
    /// Compiled into gradstudy: always there.
    Embedded(&'static [EmbeddedFile]),
    /// Files that the user has or downloads.
    Files {
        files: &'static [SourceFile],
        /// Names of folders in which users may keep the files, beside the set's own name.
        folders: &'static [&'static str],
        /// Base addresses, each ending in `/`, tried in order. A plain `http` address is as safe as the others:
        /// nothing is kept whose SHA-256 differs.
        mirrors: &'static [&'static str],
        /// The page to get them from by hand, where there is no mirror of known digest.
        page: &'static str,
        /// Folders where an operating system's package puts the files.
        system_dirs: &'static [&'static str],
    },
}

/// One published file. Users may also hold it unpacked or packed anew, so its content has its own digest.
#[derive(Debug)]
pub struct SourceFile {
    /// Name without `.gz`.
    pub name: &'static str,
    /// How it is published.
    pub form: Form,
    /// Size of the published file in bytes.
    pub bytes: u64,
    /// SHA-256 of the published file, lower-case hex.
    pub sha256: &'static str,
    /// BLAKE3 of the content (see [`Form`]), lower-case hex; none for an archive, whose members have digests of
    /// their own.
    pub content: Option<&'static str>,
}

/// How a file is published, and what its content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As `NAME.gz`; the content is what it unpacks to.
    Gzip,
    /// As `NAME`, text; carriage returns do not count as content, so that other line ends are no damage.
    Text,
}

/// One file compiled into gradstudy.
#[derive(Debug)]
pub struct EmbeddedFile {
    /// Name without `.gz`.
    pub name: &'static str,
    /// The gzip stream.
    pub bytes: &'static [u8],
}

impl SourceFile {
    /// The name under which mirrors publish it.
    pub fn published_name(&self) -> String {
        match self.form {
            Form::Gzip => format!("{}.gz", self.name),
            Form::Text => self.name.to_string(),
        }
    }

    /// Whether the file with these bytes, packed or not, has the published content; `None` where no digest of
    /// it is known. Errors: a damaged gzip file.
    pub fn has_content(&self, bytes: Vec<u8>) -> Result<Option<bool>, IdxProblem> {
        let Some(published) = self.content else {
            return Ok(None);
        };
        Ok(Some(self.content_digest(&idx::unpack(bytes)?) == published))
    }

    /// BLAKE3 (hex) of unpacked `content`, as [`SourceFile::content`] counts it.
    pub fn content_digest(&self, content: &[u8]) -> String {
        let mut hasher = blake3::Hasher::new();
        match self.form {
            Form::Gzip => drop(hasher.update(content)),
            Form::Text => content.split(|&byte| byte == b'\r').for_each(|part| {
                hasher.update(part);
            }),
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Source {
    /// Further names of folders that users may have, and the folders of the system's packages.
    pub fn folders(&self) -> (&'static [&'static str], &'static [&'static str]) {
        match &self.origin {
            Origin::Embedded(_) => (&[], &[]),
            Origin::Files {
                folders, system_dirs, ..
            } => (folders, system_dirs),
        }
    }

    /// The page to get the files from by hand, for a set without a mirror of known digest.
    pub fn by_hand(&self) -> Option<&'static str> {
        match &self.origin {
            Origin::Files {
                mirrors: [], page, ..
            } => Some(page),
            _ => None,
        }
    }

    /// Bytes to download, or compiled in.
    pub fn bytes(&self) -> u64 {
        match &self.origin {
            Origin::Embedded(files) => files.iter().map(|file| file.bytes.len() as u64).sum(),
            Origin::Files { files, .. } => files.iter().map(|file| file.bytes).sum(),
        }
    }
}
