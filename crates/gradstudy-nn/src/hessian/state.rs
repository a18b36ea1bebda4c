//! A Krylov space on disk, so that an interrupted computation goes on where it stopped, to the bit.
//!
//! The folder holds the basis (float32, appended to) and a small file that says how much of it counts, with hashes of its
//! blocks and of itself; that file is replaced as a whole, so the folder is consistent at any moment.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensors};

use super::basis::Basis;
use super::lanczos::Lanczos;
use gradstudy_base::integrity::{self, Block};

/// Where a computation keeps its state.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    /// What the state must have been made for to be of use.
    key: String,
    /// Vectors of the basis that are on disk, for the basis file of this number of restarts.
    written: (u64, usize),
    /// Hashes of these vectors.
    blocks: Vec<Block>,
}

/// What stands beside the Krylov space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub restarts: u64,
    /// Size of the basis at the next look for convergence.
    pub next_look: usize,
    /// What the last look since a restart found.
    pub seen: Option<Look>,
}

/// A look for convergence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Size of the basis.
    pub vectors: usize,
    /// Wanted eigenpairs that were not there yet.
    pub open: usize,
}

const INDEX: &str = "lanczos.safetensors";

/// What the hashes of the basis are called there.
const BLOCKS: &str = "blocks";

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a state of this program")
}

impl State {
    /// A state in `folder` (created) of the computation that `key` names.
    pub fn new(folder: &Path, key: String) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.to_path_buf();
        Ok(State {
            folder,
            key,
            written: (0, 0),
            blocks: Vec::new(),
        })
    }

    fn basis_path(&self, restarts: u64) -> PathBuf {
        self.folder.join(format!("basis-{restarts}.f32"))
    }

    /// Writes what is new.
    pub fn save(&mut self, lanczos: &Lanczos, place: Place) -> io::Result<()> {
        let n = lanczos.size();
        if self.written.0 != place.restarts {
            self.written = (place.restarts, 0);
            self.blocks.clear();
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.basis_path(place.restarts))?;
        file.seek(SeekFrom::Start((self.written.1 * n * size_of::<f32>()) as u64))?;
        let new = lanczos.basis.from(self.written.1);
        let bytes: &[u8] = bytemuck::cast_slice(&new);
        file.write_all(bytes)?;
        file.sync_all()?;
        self.written.1 = lanczos.basis.len();
        if !bytes.is_empty() {
            self.blocks.push(Block {
                end: (self.written.1 * n * size_of::<f32>()) as u64,
                blake3: integrity::hash(bytes),
            });
        }

        let lengths: Vec<u64> = lanczos.coefficients.iter().map(|c| c.len() as u64).collect();
        let values = lanczos.coefficients.concat();
        let tensors = [
            (
                "lengths",
                Dtype::U64,
                lengths.len(),
                bytemuck::cast_slice(&lengths),
            ),
            (
                "coefficients",
                Dtype::F64,
                values.len(),
                bytemuck::cast_slice(&values),
            ),
        ];
        let views: Result<Vec<_>, _> = tensors
            .into_iter()
            .map(|(name, dtype, len, bytes)| Ok((name, TensorView::new(dtype, vec![len], bytes)?)))
            .collect();
        let facts = HashMap::from([
            ("key".to_string(), self.key.clone()),
            ("vectors".to_string(), lanczos.basis.len().to_string()),
            ("products".to_string(), lanczos.products.to_string()),
            ("scale".to_string(), lanczos.scale.to_bits().to_string()),
            ("restarts".to_string(), place.restarts.to_string()),
            ("next_look".to_string(), place.next_look.to_string()),
            ("seen".to_string(), seen(place.seen)),
            (BLOCKS.to_string(), serde_json::to_string(&self.blocks)?),
        ]);
        let bytes = views
            .and_then(|views| safetensors::serialize(views, Some(facts)))
            .map_err(io::Error::other)?;
        let mut index = tempfile::NamedTempFile::new_in(&self.folder)?;
        index.write_all(&integrity::seal(bytes))?;
        index.as_file().sync_all()?;
        index
            .persist(self.folder.join(INDEX))
            .map_err(|error| error.error)?;
        if place.restarts > 0 {
            // The basis before the restart; gone already when this is not the first save after it.
            let _ = fs::remove_file(self.basis_path(place.restarts - 1));
        }
        Ok(())
    }

    /// Puts `lanczos` where it was; None if there is no state, or one of another computation.
    pub fn load(&mut self, lanczos: &mut Lanczos) -> io::Result<Option<Place>> {
        let bytes = match fs::read(self.folder.join(INDEX)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let bytes = integrity::unseal(&bytes).ok_or_else(malformed)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|_| malformed())?;
        let fact = |name: &str| fact(&header, name).ok_or_else(malformed);
        if fact("key")? != self.key {
            return Ok(None);
        }
        let number = |name: &str| fact(name)?.parse::<u64>().map_err(|_| malformed());
        let tensors = SafeTensors::deserialize(bytes).map_err(|_| malformed())?;
        let words = |name: &str| {
            let tensor = tensors.tensor(name).map_err(|_| malformed())?;
            let words = tensor.data().as_chunks::<8>().0.iter();
            Ok::<_, io::Error>(words.map(|b| u64::from_le_bytes(*b)).collect::<Vec<_>>())
        };
        let values: Vec<f64> = words("coefficients")?.into_iter().map(f64::from_bits).collect();
        let mut rest = &values[..];
        let mut coefficients = Vec::new();
        for length in words("lengths")? {
            let (column, tail) = rest.split_at_checked(length as usize).ok_or_else(malformed)?;
            coefficients.push(column.to_vec());
            rest = tail;
        }
        let place = Place {
            restarts: number("restarts")?,
            next_look: number("next_look")? as usize,
            seen: fact("seen")
                .ok()
                .as_deref()
                .and_then(|seen| seen.split_once(' '))
                .and_then(|(vectors, open)| {
                    Some(Look {
                        vectors: vectors.parse().ok()?,
                        open: open.parse().ok()?,
                    })
                }),
        };
        let n = lanczos.size();
        let vectors = number("vectors")? as usize;
        let mut basis = vec![0f32; vectors * n];
        File::open(self.basis_path(place.restarts))?.read_exact(bytemuck::cast_slice_mut(&mut basis))?;
        lanczos.basis = Basis::of(n, &basis);
        lanczos.coefficients = coefficients;
        lanczos.products = number("products")?;
        lanczos.scale = f64::from_bits(number("scale")?);
        self.written = (place.restarts, vectors);
        self.blocks = serde_json::from_str(&fact(BLOCKS)?)?;
        Ok(Some(place))
    }
}

/// The file of a kept Krylov space that is not as it was written; `None` where both are, or there is none in `folder`.
pub fn damaged(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(INDEX);
    let sealed = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(_) => return Some(path),
        Ok(sealed) => sealed,
    };
    let described = || -> Option<(String, Vec<Block>)> {
        let (_, header) = SafeTensors::read_metadata(integrity::unseal(&sealed)?).ok()?;
        let blocks = serde_json::from_str(&fact(&header, BLOCKS)?).ok()?;
        Some((fact(&header, "restarts")?, blocks))
    };
    let Some((restarts, blocks)) = described() else {
        return Some(path);
    };
    let basis = folder.join(format!("basis-{restarts}.f32"));
    // Vectors behind those that count may be there, or a part of one.
    let length = blocks.last().map_or(0, |last| last.end);
    let whole = fs::read(&basis).is_ok_and(|bytes| integrity::intact(&bytes, &blocks) == length);
    (!whole).then_some(basis)
}

fn seen(look: Option<Look>) -> String {
    look.map_or(String::new(), |Look { vectors, open }| {
        format!("{vectors} {open}")
    })
}

fn fact(header: &Metadata, name: &str) -> Option<String> {
    header.metadata().as_ref()?.get(name).cloned()
}
