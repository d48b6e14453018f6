//! Where the requests of a connection begin and end, and whether everybody would agree about that.
//!
//! The HTTP library decides on its own what it makes of a head with two lengths, and its service does not see what was dropped. So
//! the bytes are followed on their way to it. What is let through has one meaning only, for the library as well.

use std::fmt;

use super::frames::Frames;

/// As much of a line as is looked at. The names and values that matter are shorter.
const MAX_LINE: usize = 64;

/// How many bytes a chunk's size may have, zeros before it and white space behind it included.
const MAX_SIZE: usize = 64;

/// How a connection of HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Why the rest of a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is a length although chunks tell where the body ends.
    LengthAndChunks,
    /// More than one length.
    Lengths,
    /// Not a number, or too large a one.
    BadLength,
    /// More than one transfer coding, or another one than `chunked`.
    Coding,
    /// A line that goes on with the next one.
    Folded,
    /// A space between a name and its colon.
    SpacedName,
    /// A CR that ends no line, or in a body a LF without it.
    LineEnd,
    /// Chunks that are none.
    BadChunk,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::LengthAndChunks => "both content-length and transfer-encoding",
            Refused::Lengths => "more than one content-length",
            Refused::BadLength => "a content-length that is no length",
            Refused::Coding => "a transfer-encoding other than chunked",
            Refused::Folded => "a folded header line",
            Refused::SpacedName => "a space before the colon of a header",
            Refused::LineEnd => "a bare CR or LF",
            Refused::BadChunk => "a malformed chunk",
        })
    }
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The first line of a head, or empty lines before it.
    Start,
    /// Header lines.
    Headers,
    /// This many bytes of a body.
    Body(u64),
    /// The digits of a chunk's size. `None` before the first.
    Size(Option<u64>),
    /// White space behind them.
    SizeEnd(u64),
    /// Extensions behind that.
    Extension(u64),
    /// The LF behind a chunk's size.
    SizeLf(u64),
    /// This many bytes of a chunk,
    Chunk(u64),
    /// and the end of its line.
    ChunkCr,
    ChunkLf,
    /// Trailer lines.
    Trailers,
    /// This is HTTP/2.
    Frames,
}

/// Follows the bytes of a connection.
#[derive(Debug)]
pub struct Framing {
    part: Part,
    /// The beginning of the current line, and its length.
    line: [u8; MAX_LINE],
    length: usize,
    /// The last byte of the line was a CR.
    cr: bool,
    /// What the head says about the body.
    content_length: Option<u64>,
    chunked: bool,
    /// How much of the preface has come. `None` when something else came.
    preface: Option<usize>,
    /// What comes behind it.
    frames: Frames,
}

impl Framing {
    /// At the beginning of a connection.
    pub fn new() -> Framing {
        Framing {
            part: Part::Start,
            line: [0; MAX_LINE],
            length: 0,
            cr: false,
            content_length: None,
            chunked: false,
            preface: Some(0),
            frames: Frames::default(),
        }
    }

    /// Whether the head of a request has begun and is not complete.
    pub fn in_head(&self) -> bool {
        match self.part {
            Part::Start => self.length > 0,
            Part::Headers => true,
            Part::Frames => self.frames.in_fields,
            _ => false,
        }
    }

    /// Whether this is HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.part == Part::Frames
    }

    /// How many requests of HTTP/2 have begun.
    pub fn streams(&self) -> u64 {
        self.frames.begun
    }

    /// Looks at what comes next.
    ///
    /// # Errors
    /// How many of the bytes are in order, and why the next one is not. Nothing may come after that.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<(), (usize, Refused)> {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            let at = bytes.len() - rest.len();
            rest = match self.part {
                Part::Frames => {
                    self.frames.follow(rest);
                    return Ok(());
                }
                Part::Body(left) => self.skip(left, rest, Part::Start, Part::Body),
                Part::Chunk(left) => self.skip(left, rest, Part::ChunkCr, Part::Chunk),
                _ => {
                    self.step(*byte).map_err(|why| (at, why))?;
                    self.follow_preface(*byte);
                    after
                }
            };
        }
        Ok(())
    }

    /// Goes over bytes whose number is known, to `then` or to what is `left` of them.
    fn skip<'a>(&mut self, left: u64, bytes: &'a [u8], then: Part, still: fn(u64) -> Part) -> &'a [u8] {
        let here = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        self.part = match left - here as u64 {
            0 => then,
            left => still(left),
        };
        bytes.get(here..).unwrap_or_default()
    }

    /// The preface looks like two heads, so that it can be both until it is complete.
    fn follow_preface(&mut self, byte: u8) {
        let Some(seen) = self.preface else { return };
        if PREFACE.get(seen) != Some(&byte) {
            self.preface = None;
        } else if seen + 1 == PREFACE.len() {
            self.part = Part::Frames;
            self.length = 0;
        } else {
            self.preface = Some(seen + 1);
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), Refused> {
        // Neither adds to what has to be kept, and so they could go on for ever.
        self.length = match self.part {
            Part::Size(_) | Part::SizeEnd(_) if self.length >= MAX_SIZE => return Err(Refused::BadChunk),
            Part::Size(_) | Part::SizeEnd(_) => self.length + 1,
            Part::Start | Part::Headers | Part::Trailers => self.length,
            _ => 0,
        };
        self.part = match (self.part, byte) {
            (Part::Start | Part::Headers | Part::Trailers, _) => return self.line_byte(byte),
            (Part::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                let size = size
                    .unwrap_or(0)
                    .checked_mul(16)
                    .and_then(|size| size.checked_add(digit));
                Part::Size(Some(size.ok_or(Refused::BadChunk)?))
            }
            (Part::Size(Some(size)) | Part::SizeEnd(size), b' ' | b'\t') => Part::SizeEnd(size),
            (Part::Size(Some(size)) | Part::SizeEnd(size), b';') => Part::Extension(size),
            (Part::Size(Some(size)) | Part::SizeEnd(size) | Part::Extension(size), b'\r') => {
                Part::SizeLf(size)
            }
            (Part::Extension(_), b'\n') => return Err(Refused::LineEnd),
            (Part::Extension(size), _) => Part::Extension(size),
            (Part::SizeLf(0), b'\n') => Part::Trailers,
            (Part::SizeLf(size), b'\n') => Part::Chunk(size),
            (Part::ChunkCr, b'\r') => Part::ChunkLf,
            (Part::ChunkLf, b'\n') => Part::Size(None),
            _ => return Err(Refused::BadChunk),
        };
        Ok(())
    }

    /// A byte of a head, or of the trailers.
    fn line_byte(&mut self, byte: u8) -> Result<(), Refused> {
        if byte == b'\n' {
            // In heads a LF alone is taken for the end of a line by everybody.
            if self.part == Part::Trailers && !self.cr {
                return Err(Refused::LineEnd);
            }
            self.cr = false;
            return self.end_line();
        }
        if self.cr {
            return Err(Refused::LineEnd);
        }
        self.cr = byte == b'\r';
        if !self.cr {
            if let Some(place) = self.line.get_mut(self.length) {
                *place = byte;
            }
            self.length = self.length.saturating_add(1);
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), Refused> {
        let length = std::mem::take(&mut self.length);
        match (self.part, length) {
            (Part::Start, 0) => {}
            (Part::Start, _) => self.part = Part::Headers,
            (Part::Headers, 0) => {
                let content_length = self.content_length.take().unwrap_or(0);
                self.part = match (std::mem::take(&mut self.chunked), content_length) {
                    (true, _) => Part::Size(None),
                    (false, 0) => Part::Start,
                    (false, length) => Part::Body(length),
                };
            }
            (Part::Headers, _) => return self.end_header(length),
            (_, 0) => self.part = Part::Start,
            _ => {}
        }
        Ok(())
    }

    /// A header line of this length.
    fn end_header(&mut self, length: usize) -> Result<(), Refused> {
        let line = self.line.get(..length).unwrap_or(&self.line);
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(Refused::Folded);
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            // A long name, or no header, which is found out elsewhere.
            return Ok(());
        };
        if name.ends_with(b" ") || name.ends_with(b"\t") {
            return Err(Refused::SpacedName);
        }
        let whole = length <= MAX_LINE;
        let value = trim(value);
        if name.eq_ignore_ascii_case(b"content-length") {
            match (self.chunked, self.content_length) {
                (true, _) => return Err(Refused::LengthAndChunks),
                (_, Some(_)) => return Err(Refused::Lengths),
                _ => {}
            }
            let number = whole.then(|| decimal(value)).flatten();
            self.content_length = Some(number.ok_or(Refused::BadLength)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.content_length.is_some() {
                return Err(Refused::LengthAndChunks);
            }
            if self.chunked || !whole || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refused::Coding);
            }
            self.chunked = true;
        }
        Ok(())
    }
}

/// Without spaces and tabs at both ends.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    // A sign would be taken, too.
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows the bytes in pieces of all sizes, which must make no difference.
    fn follow(bytes: &[u8]) -> Result<Part, (usize, Refused)> {
        let in_pieces = |size: usize| {
            let mut framing = Framing::new();
            for (number, piece) in bytes.chunks(size).enumerate() {
                let before = number * size;
                framing.follow(piece).map_err(|(at, why)| (before + at, why))?;
            }
            Ok(framing.part)
        };
        let whole = in_pieces(bytes.len().max(1));
        for size in [1, 2, 3, 7] {
            assert_eq!(in_pieces(size), whole, "{size}");
        }
        whole
    }

    fn refused(head: &str) -> Option<Refused> {
        let smuggled = "GET /x HTTP/1.1\r\nhost: a\r\n\r\n";
        let bytes = format!("POST / HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n{smuggled}");
        let (at, why) = follow(bytes.as_bytes()).err()?;
        // Before the head is complete.
        assert!(at < bytes.len() - smuggled.len() - 2, "{head}");
        Some(why)
    }

    #[test]
    fn heads_that_are_refused() {
        for (head, why) in [
            (
                "content-length: 5\r\ntransfer-encoding: chunked",
                Refused::LengthAndChunks,
            ),
            (
                "Transfer-Encoding: chunked\r\nContent-Length: 5",
                Refused::LengthAndChunks,
            ),
            (
                "content-length: 0\r\nTRANSFER-ENCODING:\tchunked",
                Refused::LengthAndChunks,
            ),
            ("content-length: 5\r\ncontent-length: 6", Refused::Lengths),
            ("content-length: 5\r\ncontent-length: 5", Refused::Lengths),
            ("content-length: 5, 5", Refused::BadLength),
            ("content-length:", Refused::BadLength),
            ("content-length: +5", Refused::BadLength),
            ("content-length: 0x5", Refused::BadLength),
            ("content-length: 99999999999999999999", Refused::BadLength),
            ("transfer-encoding: gzip, chunked", Refused::Coding),
            (
                "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
                Refused::Coding,
            ),
            ("transfer-encoding: \u{b}chunked", Refused::Coding),
            ("transfer-encoding:\r\n chunked", Refused::Coding),
            ("x: y\r\n z", Refused::Folded),
            ("x: y\r\n\tcontent-length: 5", Refused::Folded),
            ("content-length : 5", Refused::SpacedName),
            ("x: y\rcontent-length: 5", Refused::LineEnd),
        ] {
            assert_eq!(refused(head), Some(why), "{head:?}");
        }
        let long = format!("content-length: {}5", " ".repeat(100));
        assert_eq!(refused(&long), Some(Refused::BadLength));
    }

    #[test]
    fn bodies_are_not_taken_for_heads() {
        let evil = "x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n";
        for bytes in [
            format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{evil}", evil.len()),
            format!(
                "POST / HTTP/1.1\ntransfer-encoding: Chunked \n\n{:X} ;a=b\r\n{evil}\r\n0\r\nx: y\r\n\r\n",
                evil.len()
            ),
            "\r\n\r\nGET / HTTP/1.1\r\nx-content-length: 5\r\n\r\n".to_owned(),
            format!(
                "GET / HTTP/1.1\r\n{}: x\r\n{}\r\n\r\n",
                "n".repeat(100),
                "no header"
            ),
        ] {
            assert_eq!(follow(bytes.as_bytes()), Ok(Part::Start), "{bytes}");
            let twice = format!("{bytes}{bytes}");
            assert_eq!(follow(twice.as_bytes()), Ok(Part::Start), "{bytes}");
            let then = format!("{bytes}GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n");
            assert!(follow(then.as_bytes()).is_err(), "{bytes}");
        }
    }

    #[test]
    fn chunks_that_are_refused() {
        let zeros = format!("{}3\r\nabc\r\n", "0".repeat(MAX_SIZE));
        let spaces = format!("3{}\r\nabc\r\n", " ".repeat(MAX_SIZE));
        for (chunks, why) in [
            ("\r\n", Refused::BadChunk),
            ("x\r\n", Refused::BadChunk),
            ("-1\r\n", Refused::BadChunk),
            ("3 3\r\nabc\r\n", Refused::BadChunk),
            ("3\nabc\r\n", Refused::BadChunk),
            ("3\r\nabcd\r\n", Refused::BadChunk),
            ("3\r\nabc\n0\r\n", Refused::BadChunk),
            ("10000000000000000\r\n", Refused::BadChunk),
            (&zeros, Refused::BadChunk),
            (&spaces, Refused::BadChunk),
            ("3;a\nb\r\nabc\r\n", Refused::LineEnd),
            ("0\r\nx: y\n\r\n", Refused::LineEnd),
            ("0\r\nx: y\rz\r\n\r\n", Refused::LineEnd),
        ] {
            let bytes = format!("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
            let refused = follow(bytes.as_bytes()).map_err(|(_, why)| why);
            assert_eq!(refused, Err(why), "{chunks:?}");
        }
    }

    #[test]
    fn heads_begin_and_end() {
        let mut framing = Framing::new();
        for (bytes, in_head) in [
            (&b"\r\n"[..], false),
            (b"G", true),
            (b"ET / HTTP/1.1\r\n", true),
            (b"content-length: 2\r\n", true),
            (b"\r\n", false),
            (b"GE", false),
            (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1", false),
            (b"\r\nx\r\n0\r\nx: y", false),
            (b"\r\n\r\n", false),
            (b"P", true),
        ] {
            framing.follow(bytes).unwrap();
            assert_eq!(framing.in_head(), in_head, "{bytes:?}");
        }
        let mut framing = Framing::new();
        framing.follow(PREFACE).unwrap();
        assert!(framing.is_http2() && !framing.in_head());
        framing.follow(b"\0\0\x01\x01\x04\0\0\0\x01").unwrap();
        assert!(framing.in_head());
        assert_eq!(framing.streams(), 1);
    }

    #[test]
    fn http2_is_left_alone() {
        let mut bytes = PREFACE.to_vec();
        bytes.extend_from_slice(b"content-length: 1\rx");
        assert_eq!(follow(&bytes), Ok(Part::Frames));
        // At the beginning only.
        let later = b"GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\nx: y\rz";
        assert!(follow(later).is_err());
    }
}
