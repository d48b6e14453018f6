//! Lines on standard error and output. When nobody takes them any more, they are lost; nothing else may come of that.

use std::fmt::Display;
use std::io::Write as _;

/// Something that the command has to say.
pub fn say(text: impl Display) {
    let _ = std::io::stderr()
        .lock()
        .write_all(format!("wharf: {text}\n").as_bytes());
}

/// Writes text to standard output.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
