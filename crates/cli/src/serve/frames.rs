//! Which requests begin on a connection of HTTP/2, as far as its frames tell.
//!
//! The HTTP library refuses malformed requests, and such whose head is too large, without a word to whoever uses it. They are counted here.

/// The types and the flag that matter.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// A frame's head.
const HEAD: usize = 9;

/// Follows the bytes behind the preface.
#[derive(Debug, Default)]
pub struct Frames {
    head: [u8; HEAD],
    /// How much of the head is there.
    filled: usize,
    /// What is to come of the frame's payload.
    left: usize,
    /// The stream that was begun last.
    last: u32,
    /// How many were begun.
    pub begun: u64,
    /// The head of a request has begun and not ended.
    pub in_fields: bool,
    /// It ends with this frame.
    is_last: bool,
    /// The frame is one of `DATA`.
    is_data: bool,
    /// How many bytes of bodies there were.
    pub data: u64,
}

impl Frames {
    /// Looks at what comes next.
    pub fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = self.left.min(bytes.len());
                self.left -= here;
                bytes = bytes.get(here..).unwrap_or_default();
                if self.is_data {
                    self.data = self.data.wrapping_add(here as u64);
                }
                self.end();
                continue;
            }
            let free = self.head.get_mut(self.filled..).unwrap_or_default();
            let here = free.len().min(bytes.len());
            let (now, later) = bytes.split_at(here);
            if let Some(place) = free.get_mut(..here) {
                place.copy_from_slice(now);
            }
            self.filled += here;
            bytes = later;
            if self.filled == HEAD {
                self.filled = 0;
                self.frame();
                self.end();
            }
        }
    }

    /// A head is complete.
    fn frame(&mut self) {
        let [a, b, c, kind, flags, stream @ ..] = self.head;
        self.left = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
        self.is_data = kind == DATA;
        // Fields of a stream that is known are trailers.
        let stream = u32::from_be_bytes(stream) & (u32::MAX >> 1);
        if kind == HEADERS && stream > self.last {
            self.last = stream;
            self.begun += 1;
            self.in_fields = true;
            self.is_last = flags & END_HEADERS != 0;
        } else if kind == CONTINUATION {
            self.is_last = flags & END_HEADERS != 0;
        }
    }

    /// If the frame is complete, so may be the head of a request.
    fn end(&mut self) {
        if self.left == 0 && self.is_last {
            (self.in_fields, self.is_last) = (false, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
        [&head[..], payload].concat()
    }

    #[test]
    fn requests_are_counted() {
        let bytes = [
            frame(4, 0, 0, b"settings"),
            frame(HEADERS, END_HEADERS, 1, b"fields"),
            frame(HEADERS, 0, 3, b""),
            frame(CONTINUATION, END_HEADERS, 3, b"more"),
            // Trailers.
            frame(HEADERS, END_HEADERS, 1, b"more"),
            frame(0, 0, 3, &frame(HEADERS, END_HEADERS, 9, b"data")),
            frame(HEADERS, 0, 5, b"begun"),
        ]
        .concat();
        for size in 1..bytes.len() {
            let mut frames = Frames::default();
            bytes.chunks(size).for_each(|part| frames.follow(part));
            assert_eq!((frames.begun, frames.in_fields), (3, true), "{size}");
            assert_eq!(frames.data, 13, "{size}");
        }
    }

    #[test]
    fn a_head_lasts_until_its_frame_is_complete() {
        let bytes = frame(HEADERS, END_HEADERS, 1, b"fields");
        let mut frames = Frames::default();
        for (at, byte) in bytes.iter().enumerate() {
            frames.follow(&[*byte]);
            assert_eq!(frames.in_fields, at + 1 >= HEAD && at + 1 < bytes.len(), "{at}");
        }
        frames.follow(&frame(HEADERS, END_HEADERS, 3, b""));
        assert_eq!((frames.begun, frames.in_fields), (2, false));
        // The frame of the end is what counts.
        frames.follow(&frame(HEADERS, 0, 5, b"fields"));
        assert!(frames.in_fields);
        frames.follow(&frame(CONTINUATION, END_HEADERS, 5, b""));
        assert!(!frames.in_fields);
    }
}
