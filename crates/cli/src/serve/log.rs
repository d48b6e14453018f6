//! Lines on standard error.

use std::io::Write as _;

/// Writes a line as a whole. When nobody takes it, it is lost.
pub fn line(text: &str) {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    let _ = std::io::stderr().lock().write_all(&bytes);
}

/// Something that the server has to say.
pub fn message(text: impl std::fmt::Display) {
    line(&format!("wharf: {text}"));
}
