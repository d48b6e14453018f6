//! Shorthands.

pub use wasi_conformance::{Case, check, check_eq, check_err, ok};
pub use wasip2::filesystem::types::{
    Advice, Descriptor, DescriptorFlags as D, DescriptorType as Type, ErrorCode as E, NewTimestamp, OpenFlags as O, PathFlags as P,
};
use wasip2::filesystem::preopens::get_directories;

/// The granted directory with this name.
pub fn granted(name: &str) -> Descriptor {
    match get_directories().into_iter().find(|(_, n)| n == name) {
        Some((dir, _)) => dir,
        None => wasi_conformance::fail(file!(), line!(), &format!("the directory {name} is not granted")),
    }
}

/// The directory that cases work in.
pub fn work() -> Descriptor {
    granted("work")
}

pub const FOLLOW: P = P::SYMLINK_FOLLOW;
pub const NO_FOLLOW: P = P::empty();

/// Makes a file with this content.
pub fn file(dir: &Descriptor, path: &str, content: &[u8]) -> Descriptor {
    let file = ok!(dir.open_at(NO_FOLLOW, path, O::CREATE | O::TRUNCATE, D::READ | D::WRITE));
    let mut at = 0;
    while at < content.len() {
        at += ok!(file.write(&content[at..], at as u64)) as usize;
    }
    file
}

/// Opens for reading.
pub fn open(dir: &Descriptor, path: &str) -> Result<Descriptor, E> {
    dir.open_at(NO_FOLLOW, path, O::empty(), D::READ)
}

/// Opens a directory whose entries may be changed.
pub fn open_dir(dir: &Descriptor, path: &str) -> Descriptor {
    ok!(dir.open_at(NO_FOLLOW, path, O::DIRECTORY, D::READ | D::MUTATE_DIRECTORY))
}

/// All of a file.
pub fn content(file: &Descriptor) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let (bytes, end) = ok!(file.read(1 << 16, all.len() as u64));
        let nothing = bytes.is_empty();
        all.extend(bytes);
        if end {
            return all;
        }
        check!(!nothing);
    }
}

/// All of the file that the path names.
pub fn content_at(dir: &Descriptor, path: &str) -> Vec<u8> {
    content(&ok!(open(dir, path)))
}

/// Whether the path names something, be it a link.
pub fn exists(dir: &Descriptor, path: &str) -> bool {
    match dir.stat_at(NO_FOLLOW, path) {
        Ok(_) => true,
        Err(E::NoEntry) => false,
        Err(e) => wasi_conformance::fail(file!(), line!(), &format!("stat-at {path}: {e:?}")),
    }
}

/// The names and types of a directory's entries, sorted.
pub fn entries(dir: &Descriptor) -> Vec<(String, Type)> {
    let stream = ok!(dir.read_directory());
    let mut all = Vec::new();
    while let Some(entry) = ok!(stream.read_directory_entry()) {
        all.push((entry.name, entry.type_));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}
