//! Reading the file to run.

use std::io::Read;
use std::path::Path;

use wharf::{Artifact, Engine};

use crate::failure::Failure;

/// What the bytes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// A file in binary form.
#[derive(Debug)]
pub struct Loaded {
    pub bytes: Vec<u8>,
    pub layer: Layer,
}

/// Whether a file is an artifact of `wharf compile`. Files that can't be read are none.
pub fn is_artifact(path: &Path) -> bool {
    // A pipe can be read only once.
    let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut start = [0; 8];
    is_file
        && std::fs::File::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok_and(|()| Artifact::detect(&start))
}

/// Opens an artifact and tells what is in it.
///
/// # Errors
/// If it can't be read, or is damaged.
pub fn open_artifact(engine: &Engine, path: &Path) -> Result<(Artifact, Layer), Failure> {
    let name = path.display().to_string();
    let artifact = Artifact::open(engine, path).map_err(|e| Failure::engine(&name, &e))?;
    match layer(&artifact.bytes()) {
        Ok(layer) => Ok((artifact, layer)),
        Err(reason) => Err(Failure::new(format!("{name}: {reason}"))),
    }
}

/// Reads a file, binary or text.
///
/// # Errors
/// If it can't be read, or is neither.
pub fn load(path: &Path) -> Result<Loaded, Failure> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|e| {
        let reason = match e.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_string(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
            std::io::ErrorKind::IsADirectory => "is a folder".to_string(),
            _ => e.to_string(),
        };
        Failure::new(format!("{name}: {reason}"))
    })?;
    let bytes = match to_binary(bytes) {
        Ok(bytes) => bytes,
        Err(reason) => return Err(Failure::new(format!("{name}: {reason}"))),
    };
    match layer(&bytes) {
        Ok(layer) => Ok(Loaded { bytes, layer }),
        Err(reason) => Err(Failure::new(format!("{name}: {reason}"))),
    }
}

/// Assembles text; leaves everything else as it is.
fn to_binary(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if !looks_like_text(&bytes) {
        return Ok(bytes);
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => wat::parse_str(text).map_err(|e| e.to_string()),
        Err(_) => Err("neither WebAssembly nor its text format".to_string()),
    }
}

/// Text begins with a parenthesis or a comment.
fn looks_like_text(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = bytes.iter().position(|b| !b.is_ascii_whitespace());
    match start.map(|at| &bytes[at..]) {
        Some(rest) => rest.starts_with(b"(") || rest.starts_with(b";;"),
        None => false,
    }
}

fn layer(bytes: &[u8]) -> Result<Layer, String> {
    const MAGIC: &[u8] = b"\0asm";
    if bytes.is_empty() {
        return Err("the file is empty".to_string());
    }
    if bytes.len() < 8 {
        return Err(match MAGIC.starts_with(&bytes[..bytes.len().min(4)]) {
            true => "the file is truncated: WebAssembly begins with 8 bytes of header".to_string(),
            false => "not WebAssembly".to_string(),
        });
    }
    if Artifact::detect(bytes) {
        return Err("compiled already".to_string());
    }
    if &bytes[..4] != MAGIC {
        return Err("not WebAssembly".to_string());
    }
    match (bytes[4], bytes[5], bytes[6], bytes[7]) {
        (1, 0, 0, 0) => Ok(Layer::Module),
        (_, _, 1, 0) => Ok(Layer::Component),
        _ => Err("an unknown version of WebAssembly".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_told_apart() {
        assert_eq!(layer(b"\0asm\x01\0\0\0"), Ok(Layer::Module));
        assert_eq!(layer(b"\0asm\x0d\0\x01\0"), Ok(Layer::Component));
        assert!(layer(b"\0asm\x02\0\0\0").is_err());
        assert!(layer(b"\0asm").unwrap_err().contains("truncated"));
        assert_eq!(layer(b"\x7fELF").unwrap_err(), "not WebAssembly");
        assert!(layer(b"").unwrap_err().contains("empty"));
    }

    #[test]
    fn text_is_assembled() {
        assert_eq!(
            layer(&to_binary(b"\n ;; hi\n(module)".to_vec()).unwrap()),
            Ok(Layer::Module)
        );
        assert_eq!(
            layer(&to_binary(b"(component)".to_vec()).unwrap()),
            Ok(Layer::Component)
        );
        assert!(to_binary(b"(modul)".to_vec()).is_err());
        assert_eq!(to_binary(b"hello".to_vec()).unwrap(), b"hello");
    }
}
