//! What guests print: whole lines on the server's standard error, each with the stream and the request that it belongs to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wharf_wasi::{Bytes, IsTerminal, OutputStream, Pollable, StdoutStream, StreamResult, async_trait};

use super::log;

/// Longer lines are cut into pieces.
const MAX_LINE: usize = 8 << 10;

/// The output of one instance. Clones are the same.
#[derive(Clone, Default)]
pub struct GuestOutput(Arc<Mutex<String>>);

impl GuestOutput {
    /// From now on, lines belong to this request.
    pub fn belongs_to(&self, trace_id: &str) {
        let mut request = lock(&self.0);
        request.clear();
        request.push_str(trace_id);
    }

    /// One of the streams of the instance.
    pub fn stream(&self, name: &'static str) -> LineStream {
        LineStream(Arc::new(Mutex::new(Lines {
            name,
            output: self.clone(),
            request: String::new(),
            line: Vec::new(),
        })))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Lines {
    name: &'static str,
    output: GuestOutput,
    /// A line that is not complete, and the request that it belongs to.
    line: Vec<u8>,
    request: String,
}

impl Lines {
    fn write(&mut self, mut bytes: &[u8]) {
        let request = lock(&self.output.0).clone();
        if request != self.request {
            // What an earlier request began is not the beginning of a line of this one.
            if !self.line.is_empty() {
                self.end_line();
            }
            self.request = request;
        }
        while !bytes.is_empty() {
            let room = MAX_LINE.saturating_sub(self.line.len()).max(1);
            let (part, rest) = bytes.split_at(room.min(bytes.len()));
            match part.iter().position(|byte| *byte == b'\n') {
                Some(at) => {
                    let (line, _) = part.split_at(at);
                    self.line.extend_from_slice(line);
                    self.end_line();
                    bytes = bytes.get(at + 1..).unwrap_or_default();
                }
                None => {
                    self.line.extend_from_slice(part);
                    if self.line.len() >= MAX_LINE {
                        self.end_line();
                    }
                    bytes = rest;
                }
            }
        }
    }

    fn end_line(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        log::line(&prefixed(self.name, &self.request, &text));
        self.line.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }
}

/// The line as it is written. What could move the cursor of a terminal is escaped.
fn prefixed(name: &str, request: &str, text: &str) -> String {
    let mut line = format!("guest {name} [{request}]: ");
    for c in text.chars() {
        match c {
            '\t' => line.push(c),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// A standard stream of a guest.
#[derive(Clone)]
pub struct LineStream(Arc<Mutex<Lines>>);

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        lock(&self.0).write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_collected() {
        let output = GuestOutput::default();
        let stream = output.stream("stdout");
        let mut lines = lock(&stream.0);
        lines.write(b"a");
        lines.write(b"b\nc");
        assert_eq!(lines.line, b"c");
        lines.write(&vec![b'x'; MAX_LINE * 2]);
        assert!(lines.line.len() < MAX_LINE);
        lines.write(b"\n\n");
        assert!(lines.line.is_empty());
        // The next request has lines of its own.
        output.belongs_to("1");
        lines.write(b"a");
        output.belongs_to("2");
        lines.write(b"b");
        assert_eq!((lines.line.as_slice(), lines.request.as_str()), (&b"b"[..], "2"));
    }

    #[test]
    fn terminals_are_safe() {
        assert_eq!(
            prefixed("stderr", "12", "a\x1b[2J\tb"),
            "guest stderr [12]: a\\u{1b}[2J\tb"
        );
    }
}
