//! Where messages go.

use crate::format::{json_line, text_line};
use crate::level::Level;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// A message of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it came.
    pub time: SystemTime,
    /// Which component wrote it, in words of the embedder; may be empty.
    pub component: &'a str,
    /// How much it matters.
    pub level: Level,
    /// What it belongs to, in words of the guest.
    pub context: &'a str,
    /// The message, as the guest wrote it: it may contain line ends and other control characters.
    pub message: &'a str,
    /// Whether there was more of it than the limits allow.
    pub truncated: bool,
    /// How many messages before this one were dropped because there were too many.
    pub dropped: u64,
}

/// Takes messages.
pub trait LogSink: Send + Sync + 'static {
    /// Takes a message. It must not block for long. What fails is the sink's own business: a guest can do nothing
    /// about it.
    fn log(&self, record: &Record<'_>);
}

/// How a [`WriterSink`] writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// An object per line.
    Json,
}

/// Writes each message as one line. Whatever is in a message, it is not more than one line, and can't look like
/// another one.
pub struct WriterSink {
    format: Format,
    writer: Mutex<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for WriterSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterSink")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl WriterSink {
    /// Writes to a writer.
    pub fn new(format: Format, writer: impl Write + Send + 'static) -> WriterSink {
        WriterSink {
            format,
            writer: Mutex::new(Box::new(writer)),
        }
    }

    /// Writes to standard error of this process.
    pub fn stderr(format: Format) -> WriterSink {
        WriterSink::new(format, std::io::stderr())
    }
}

impl LogSink for WriterSink {
    fn log(&self, record: &Record<'_>) {
        let line = match self.format {
            Format::Text => text_line(record),
            Format::Json => json_line(record),
        };
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // In one piece, so that lines of several processes don't mix.
        let _ = writer.write_all(line.as_bytes()).and_then(|()| writer.flush());
    }
}
