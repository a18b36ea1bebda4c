//! Where a data set comes from: its files with sizes and digests, its mirrors, licence and citation.

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
        /// Base addresses, each ending in `/`, tried in order. A plain `http` address is as safe as the others:
        /// nothing is kept whose SHA-256 differs.
        mirrors: &'static [&'static str],
        /// Folders where an operating system's package puts the files.
        system_dirs: &'static [&'static str],
    },
}

/// One published file. Users may also hold it unpacked or packed anew, so its content has its own digest.
#[derive(Debug)]
pub struct SourceFile {
    /// Name without `.gz`.
    pub name: &'static str,
    /// Size in bytes of the published `.gz`.
    pub bytes: u64,
    /// SHA-256 of the published `.gz`, lower-case hex.
    pub sha256: &'static str,
    /// BLAKE3 of the unpacked content, lower-case hex.
    pub content: &'static str,
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
        format!("{}.gz", self.name)
    }
}

impl Source {
    /// Bytes to download, or compiled in.
    pub fn bytes(&self) -> u64 {
        match &self.origin {
            Origin::Embedded(files) => files.iter().map(|file| file.bytes.len() as u64).sum(),
            Origin::Files { files, .. } => files.iter().map(|file| file.bytes).sum(),
        }
    }
}
