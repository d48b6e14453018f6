//! Text on standard error and output. When nobody takes it any more, it is lost; nothing else may come of that.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

use crate::failure::Failure;

/// Writes a line to standard error, as a whole.
pub fn line(text: &str) {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    let _ = std::io::stderr().lock().write_all(&bytes);
}

/// Something that the command has to say.
pub fn say(text: impl Display) {
    line(&format!("wharf: {text}"));
}

/// Writes text to standard output.
///
/// # Errors
/// If it can't be written, except that whoever read it has left: they have what they wanted.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::new(format!("standard output: {e}"))),
        _ => Ok(()),
    }
}
