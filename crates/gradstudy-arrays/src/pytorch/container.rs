//! Where the storages of a file of PyTorch lie: in a zip archive, or one after the other in a file of before 2020.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use zip::read::ZipReadOptions;
use zip::{CompressionMethod, ZipArchive};

use super::node::{Node, Pickle};
use super::pickle;

/// Bytes that a pickle may have: names and sizes, no numbers.
const LARGEST_PICKLE: u64 = 1 << 30;

/// The number with which files without an archive begin, as protocol 2 writes it.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// What a file has besides its numbers.
#[derive(Debug)]
pub(super) struct Container {
    pub pickle: Pickle,
    pub storages: HashMap<String, StoragePlace>,
    pub big_endian: bool,
}

/// Bytes of a storage.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoragePlace {
    /// Where they begin in the file.
    pub offset: u64,
    pub bytes: u64,
    pub packing: Packing,
}

/// How a storage is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As it is, with its CRC-32 where one is known.
    None(Option<u32>),
    /// As the entry of that number in the archive, compressed.
    Entry(usize),
}

/// Reads the pickle of `file` and where its storages lie.
///
/// # Errors
/// What `torch.save` did not write, what is damaged, and archives of TorchScript.
pub(super) fn open(file: &File) -> Result<Container, String> {
    let mut head = Vec::new();
    let mut reader = file;
    reader.seek(SeekFrom::Start(0)).map_err(text)?;
    reader.take(512).read_to_end(&mut head).map_err(text)?;
    reader.seek(SeekFrom::Start(0)).map_err(text)?;
    let begins_with_magic = head
        .get(..64.min(head.len()))
        .is_some_and(|head| head.windows(MAGIC.len()).any(|bytes| bytes == MAGIC));
    if head.starts_with(b"PK") {
        archive(file)
    } else if begins_with_magic {
        sequence(file)
    } else if head.get(257..262) == Some(b"ustar") {
        Err("it is of a PyTorch of before 2017: load it there and save it again".to_string())
    } else if head.starts_with(&[0x80]) {
        Err("it is a pickle without PyTorch's storages".to_string())
    } else {
        Err("`torch.save` did not write it".to_string())
    }
}

fn archive(file: &File) -> Result<Container, String> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        let name = entry.name().map_err(|error| error.to_string())?;
        names.push(name.into_owned());
    }
    let mut roots = names.iter().filter_map(|name| match name.as_str() {
        "data.pkl" => Some(""),
        name => name.strip_suffix("data.pkl").filter(|root| root.ends_with('/')),
    });
    let Some(root) = roots.next() else {
        return Err("it is an archive without PyTorch's `data.pkl`".to_string());
    };
    if roots.next().is_some() {
        return Err("it is an archive of several files of PyTorch".to_string());
    }
    let script = |name: &String| {
        let rest = name.strip_prefix(root).unwrap_or(name);
        rest == "constants.pkl" || rest.starts_with("code/")
    };
    if names.iter().any(script) {
        return Err("it is a TorchScript archive: save `model.state_dict()` with `torch.save`".to_string());
    }
    let index_of = |name: &str| names.iter().position(|known| *known == format!("{root}{name}"));
    let mut content = |index: usize| -> Result<Vec<u8>, String> {
        let raw = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        // `torch.save` writes 0 where it is told to compute no checksum.
        let options = ZipReadOptions::new().ignore_crc32(raw.crc32() == 0);
        drop(raw);
        let entry = archive.by_index_with_options(index, options);
        let entry = entry.map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        entry.take(LARGEST_PICKLE).read_to_end(&mut bytes).map_err(text)?;
        Ok(bytes)
    };
    let big_endian = match index_of("byteorder").map(&mut content).transpose()?.as_deref() {
        None | Some(b"little") => false,
        Some(b"big") => true,
        Some(_) => return Err("it does not say in what order its bytes are".to_string()),
    };
    let pickled = index_of("data.pkl")
        .map(&mut content)
        .transpose()?
        .unwrap_or_default();
    let pickle = pickle::read(&mut pickled.as_slice())?;
    let data = format!("{root}data/");
    let mut storages = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        let Some(key) = name.strip_prefix(&data) else {
            continue;
        };
        let entry = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        let offset = entry.data_start().ok_or("its archive is damaged")?;
        let is_plain = entry.compression() == CompressionMethod::Stored;
        if is_plain && entry.compressed_size() != entry.size() {
            return Err("its archive is damaged".to_string());
        }
        let place = StoragePlace {
            offset,
            bytes: entry.size(),
            packing: match is_plain {
                true => Packing::None(Some(entry.crc32()).filter(|crc| *crc != 0)),
                false => Packing::Entry(index),
            },
        };
        storages.insert(key.to_string(), place);
    }
    Ok(Container {
        pickle,
        storages,
        big_endian,
    })
}

/// Five pickles (number, version, machine, objects, keys), then each storage: how many elements, and those.
fn sequence(file: &File) -> Result<Container, String> {
    let mut reader = BufReader::new(file);
    pickle::read(&mut reader)?;
    if !matches!(pickle::read(&mut reader)?.root(), Node::Int(1001)) {
        return Err("it is of an unknown version".to_string());
    }
    let machine = pickle::read(&mut reader)?;
    let big_endian = match little_endian(&machine) {
        Some(little) => !little,
        None => return Err("it does not say in what order its bytes are".to_string()),
    };
    let pickle = pickle::read(&mut reader)?;
    let keys = pickle::read(&mut reader)?;
    let Node::Sequence(_, ids) = keys.root() else {
        return Err("its storages have no keys".to_string());
    };
    let mut sizes = HashMap::new();
    for node in &pickle.nodes {
        if let Node::Storage(storage) = node {
            let size = storage.kind.as_ref().map_or(1, |kind| kind.size() as u64);
            sizes.insert(storage.key.as_str(), size);
        }
    }
    let mut storages = HashMap::new();
    for id in ids {
        let Node::Text(key) = &keys.nodes[*id] else {
            return Err("its storages have no keys".to_string());
        };
        let size = sizes
            .get(key.as_str())
            .ok_or("it has a storage that nothing refers to")?;
        let mut count = [0; 8];
        reader.read_exact(&mut count).map_err(text)?;
        let count = match big_endian {
            true => u64::from_be_bytes(count),
            false => u64::from_le_bytes(count),
        };
        let bytes = count
            .checked_mul(*size)
            .ok_or("a storage is larger than can be counted")?;
        let place = StoragePlace {
            offset: reader.stream_position().map_err(text)?,
            bytes,
            packing: Packing::None(None),
        };
        let ahead = i64::try_from(bytes).map_err(|_| "a storage is larger than can be counted")?;
        reader.seek_relative(ahead).map_err(text)?;
        storages.insert(key.clone(), place);
    }
    Ok(Container {
        pickle,
        storages,
        big_endian,
    })
}

fn little_endian(machine: &Pickle) -> Option<bool> {
    let Node::Dict(pairs) = machine.root() else {
        return None;
    };
    pairs.iter().find_map(
        |(key, value)| match (&machine.nodes[*key], &machine.nodes[*value]) {
            (Node::Text(key), Node::Bool(little)) if key == "little_endian" => Some(*little),
            _ => None,
        },
    )
}

fn text(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut off".to_string(),
        _ => error.to_string(),
    }
}
