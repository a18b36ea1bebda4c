//! Avila: which of twelve copyists wrote a page of the Avila Bible, from ten measures of its layout. De Stefano,
//! Maniaci, Fontanella and Scotto di Freca (2018). The published values are about z-scored, with a few extreme
//! ones.

use std::path::Path;

use super::dataset::{Dataset, Split};
use super::error::DataError;
use super::file_digest::file_digest;
use super::idx;
use super::search::{Located, SearchPath};
use super::select::{CLASSES, SPLIT, normalize, subset};
use super::source::{Form, Origin, Source, SourceFile};
use super::table::{self, Classes, Format};
use super::values::{Examples, Outline, Values};
use super::{DatasetKind, Published, select, verify};
use gradstudy_arrays::text::{Decimal, Separator, TextSettings};
use gradstudy_base::signature::{Args, Signature};

/// Name and settings in the study language.
static SIGNATURE: Signature = Signature {
    name: "avila",
    summary: "UCI Avila: 10 430 + 10 437 pages of a bible, 10 features, 12 copyists; no images",
    params: &[SPLIT, normalize("per_feature"), subset(10_430), CLASSES],
    version: 1,
};

/// See the module's documentation.
pub struct Avila {
    source: Source,
    files: &'static [SourceFile; 2],
}

/// Digests are those of the two members of the UCI repository's `avila.zip`; the archive's own is not published.
pub static AVILA: Avila = Avila {
    source: Source {
        licence: "CC BY 4.0 according to the UCI repository; De Stefano, Maniaci, Fontanella, Scotto di Freca",
        citation: "C. De Stefano, M. Maniaci, F. Fontanella, A. Scotto di Freca: Reliable writer identification in \
                   medieval manuscripts through page layout features: the \"Avila\" Bible case. Engineering \
                   Applications of Artificial Intelligence 72, 2018; doi:10.24432/C5K02X",
        origin: Origin::Files {
            files: FILES,
            folders: &["Avila"],
            mirrors: &[],
            page: "https://archive.ics.uci.edu/dataset/459/avila",
            system_dirs: &[],
        },
    },
    files: FILES,
};

static FILES: &[SourceFile; 2] = &[
    SourceFile {
        name: "avila-tr.txt",
        form: Form::Text,
        bytes: 999_319,
        sha256: "493332af20f750a6b0f7b0c581dd2236bb68a8ace52b412aea1c9c82b2076357",
        content: Some("358db19fcf491d80a3f3ef0e4b5b4fe84a6bce44de0fa9a9d67f05c8a981597a"),
    },
    SourceFile {
        name: "avila-ts.txt",
        form: Form::Text,
        bytes: 999_942,
        sha256: "0ec227d595dd8d8dc6804a7139c8b6d6e00e21aaea0d9052085057aa98c3e589",
        content: Some("bdd793b054b63035b667a3148d100f39f1a80b391eb607ad4ae472db4d54895a"),
    },
];

/// F1 to F10, as ten channels of one value.
const SHAPE: [usize; 3] = [10, 1, 1];

/// Pages of each copyist: A to I, W, X, Y.
const TRAIN_COUNTS: [u64; 12] = [4286, 5, 103, 352, 1095, 1961, 446, 519, 831, 44, 522, 266];
const TEST_COUNTS: [u64; 12] = [4286, 5, 103, 353, 1095, 1962, 447, 520, 832, 45, 522, 267];

const FORMAT: Format = Format {
    text: TextSettings {
        header: Some(false),
        index: Some(false),
        separator: Some(Separator::Comma),
        decimal: Some(Decimal::Point),
    },
    label: "last",
    ignore: &[],
};

impl Avila {
    fn file(&self, split: Split) -> &'static SourceFile {
        match split {
            Split::Train => &self.files[0],
            Split::Test => &self.files[1],
        }
    }

    fn find(&self, args: &Args, search: &SearchPath) -> Result<Located, DataError> {
        let split = select::split_of(args);
        let mut names = vec![self.file(split).name];
        if split == Split::Test {
            names.push(self.file(Split::Train).name);
        }
        search.find(SIGNATURE.name, &names, &self.source, &|_| None)
    }

    fn read_split(&self, located: &Located, split: Split) -> Result<Examples, DataError> {
        let file = self.file(split);
        let is_it = |path: &&std::path::PathBuf| {
            path.ends_with(file.name) || path.ends_with(format!("{}.gz", file.name))
        };
        let path = located
            .files
            .iter()
            .find(is_it)
            .map_or(Path::new(file.name), |path| path);
        let set = || SIGNATURE.name.to_string();
        let bytes = gradstudy_base::files::read(path).map_err(|reason| DataError::Read {
            set: set(),
            path: path.to_path_buf(),
            reason,
        })?;
        let content = idx::unpack(bytes).map_err(|problem| DataError::Malformed {
            set: set(),
            path: path.to_path_buf(),
            problem,
        })?;
        let table = table::read(path, &content, &FORMAT)?;
        if file
            .content
            .is_some_and(|published| file.content_digest(&content) != published)
        {
            return Err(DataError::Content {
                set: set(),
                path: path.to_path_buf(),
            });
        }
        let classes = Classes::of(&table, path)?;
        Ok(Examples {
            shape: SHAPE,
            classes: classes.len(),
            labels: classes.numbers(&table, path)?,
            values: Values::Doubles(table.values),
        })
    }
}

impl DatasetKind for Avila {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn display_name(&self) -> &'static str {
        "Avila"
    }

    fn outline(&self, args: &Args) -> Result<Outline, DataError> {
        let counts = match select::split_of(args) {
            Split::Train => &TRAIN_COUNTS,
            Split::Test => &TEST_COUNTS,
        };
        select::outline(SIGNATURE.name, args, SHAPE, counts)
    }

    fn digest(&self, args: &Args, search: &SearchPath) -> Result<String, DataError> {
        let located = self.find(args, search)?;
        file_digest(&located.files).map_err(|(path, reason)| DataError::Read {
            set: SIGNATURE.name.to_string(),
            path,
            reason,
        })
    }

    fn load(&self, args: &Args, search: &SearchPath) -> Result<Dataset, DataError> {
        self.outline(args)?;
        let located = self.find(args, search)?;
        let read = |split| self.read_split(&located, split);
        select::prepare(SIGNATURE.name, self.title(args), args, &read)
    }

    fn published(&self) -> Option<&dyn Published> {
        Some(self)
    }
}

impl Published for Avila {
    fn source(&self) -> &Source {
        &self.source
    }

    fn locate(&self, search: &SearchPath) -> Result<Located, DataError> {
        let names: Vec<&str> = self.files.iter().map(|file| file.name).collect();
        search.find(SIGNATURE.name, &names, &self.source, &|_| None)
    }

    fn verify(&self, search: &SearchPath) -> Vec<verify::Report> {
        verify::files(self, search)
    }
}
