//! Header and trailer fields as guests see them.

use crate::bindings::wasi::http::types::{ErrorCode, FieldSizePayload};
use crate::error::internal;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::fmt;

/// What an entry counts beyond its bytes, as HTTP/2 has it.
const ENTRY_OVERHEAD: usize = 32;

/// A multimap of names and values that keeps the order of names, that of each one's values, and the case of the names.
#[derive(Clone, Debug, Default)]
pub struct FieldMap {
    entries: Vec<Entry>,
    size: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    name: HeaderName,
    /// The name as it was given, if that was not in lower case.
    written: Option<Box<str>>,
    value: HeaderValue,
}

impl Entry {
    fn size(&self) -> usize {
        let written = self.written.as_ref().map_or(0, |written| written.len());
        self.name.as_str().len() + written + self.value.len() + ENTRY_OVERHEAD
    }
}

/// Why a name or value is not taken.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldMapError {
    /// HTTP does not allow it.
    InvalidSyntax,
    /// The fields would be larger than they may be.
    TooLarge,
}

impl fmt::Display for FieldMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FieldMapError::InvalidSyntax => "a field name or value that HTTP does not allow",
            FieldMapError::TooLarge => "the fields are too large",
        })
    }
}

impl std::error::Error for FieldMapError {}

/// The name, if it is valid.
///
/// # Errors
/// `InvalidSyntax`.
pub(crate) fn parse_name(name: &str) -> Result<HeaderName, FieldMapError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| FieldMapError::InvalidSyntax)
}

impl FieldMap {
    /// No fields.
    pub fn new() -> FieldMap {
        FieldMap::default()
    }

    /// Bytes of all entries: their names and values, and 32 for each.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The host memory that they take, at most.
    pub(crate) fn memory(&self) -> usize {
        self.size + self.entries.capacity() * size_of::<Entry>()
    }

    /// All values of a name.
    pub fn get(&self, name: &HeaderName) -> impl Iterator<Item = &HeaderValue> {
        self.entries
            .iter()
            .filter(move |entry| entry.name == *name)
            .map(|entry| &entry.value)
    }

    /// Adds a value; the fields get no larger than `limit`.
    ///
    /// # Errors
    /// `InvalidSyntax` for a name or value that HTTP does not allow, `TooLarge`.
    pub fn append(&mut self, name: &str, value: Vec<u8>, limit: usize) -> Result<(), FieldMapError> {
        if name.len().saturating_add(value.len()) > limit {
            return Err(FieldMapError::TooLarge);
        }
        let parsed = parse_name(name)?;
        let written = (parsed.as_str() != name).then(|| name.into());
        let value =
            HeaderValue::from_maybe_shared(Bytes::from(value)).map_err(|_| FieldMapError::InvalidSyntax)?;
        self.push(
            Entry {
                name: parsed,
                written,
                value,
            },
            limit,
        )
    }

    fn push(&mut self, entry: Entry, limit: usize) -> Result<(), FieldMapError> {
        let size = self.size.saturating_add(entry.size());
        if size > limit {
            return Err(FieldMapError::TooLarge);
        }
        self.size = size;
        self.entries.push(entry);
        Ok(())
    }

    /// Replaces all values of a name; the fields get no larger than `limit`, and stay as they are on errors.
    ///
    /// # Errors
    /// As [`FieldMap::append`].
    pub fn set(&mut self, name: &str, values: Vec<Vec<u8>>, limit: usize) -> Result<(), FieldMapError> {
        let parsed = parse_name(name)?;
        let mut new = FieldMap::new();
        for value in values {
            new.append(name, value, limit)?;
        }
        let old: usize = self
            .entries
            .iter()
            .filter(|entry| entry.name == parsed)
            .map(Entry::size)
            .sum();
        if self.size - old + new.size > limit {
            return Err(FieldMapError::TooLarge);
        }
        self.remove(&parsed);
        self.size += new.size;
        self.entries.append(&mut new.entries);
        Ok(())
    }

    /// Removes all values of a name.
    pub fn remove(&mut self, name: &HeaderName) {
        self.entries.retain(|entry| entry.name != *name);
        self.size = self.entries.iter().map(Entry::size).sum();
    }

    /// Names, as they were written, and values, in the order in which they are sent: all of a name where its first one is.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        let mut first = HashMap::new();
        let mut sent: Vec<(usize, &Entry)> = self
            .entries
            .iter()
            .enumerate()
            .map(|(at, entry)| (*first.entry(&entry.name).or_insert(at), entry))
            .collect();
        sent.sort_by_key(|(first, _)| *first);
        sent.into_iter().map(|(_, entry)| {
            let name = entry.written.as_deref().unwrap_or(entry.name.as_str());
            (name, &entry.value)
        })
    }

    /// The fields of a message, without those that `keep` is false for.
    pub(crate) fn from_headers(headers: &HeaderMap, mut keep: impl FnMut(&HeaderName) -> bool) -> FieldMap {
        let mut fields = FieldMap::new();
        for (name, value) in headers.iter().filter(|(name, _)| keep(name)) {
            let entry = Entry {
                name: name.clone(),
                written: None,
                value: value.clone(),
            };
            // Without a limit there is no error: that of the connection held.
            let _ = fields.push(entry, usize::MAX);
        }
        fields
    }

    /// The fields for a message.
    ///
    /// # Errors
    /// If there are more than a message can have.
    pub(crate) fn to_headers(&self) -> Result<HeaderMap, ErrorCode> {
        let too_many = |_| {
            ErrorCode::HttpRequestHeaderSize(Some(FieldSizePayload {
                field_name: None,
                field_size: u32::try_from(self.size).ok(),
            }))
        };
        let mut headers = HeaderMap::try_with_capacity(self.entries.len()).map_err(too_many)?;
        for entry in &self.entries {
            headers
                .try_append(entry.name.clone(), entry.value.clone())
                .map_err(too_many)?;
        }
        Ok(headers)
    }

    /// The length that `content-length` tells, if it is there.
    ///
    /// # Errors
    /// When the field is not one number.
    pub(crate) fn content_length(&self) -> Result<Option<u64>, ErrorCode> {
        let mut length = None;
        for value in self.get(&http::header::CONTENT_LENGTH) {
            let digits = value.as_bytes();
            let number = std::str::from_utf8(digits)
                .ok()
                .filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|text| text.parse::<u64>().ok())
                .ok_or_else(|| internal("content-length is not a number"))?;
            if length.is_some() {
                return Err(internal("content-length is there more than once"));
            }
            length = Some(number);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(fields: &mut FieldMap, name: &str, value: &str) -> Result<(), FieldMapError> {
        fields.append(name, value.into(), 1 << 10)
    }

    #[test]
    fn order_and_case_are_kept() {
        let mut fields = FieldMap::new();
        for (name, value) in [("X-B", "1"), ("a", "2"), ("x-b", "3")] {
            append(&mut fields, name, value).unwrap();
        }
        let all: Vec<_> = fields.iter().map(|(n, v)| (n, v.as_bytes())).collect();
        assert_eq!(all, [("X-B", &b"1"[..]), ("x-b", b"3"), ("a", b"2")]);
        let headers = fields.to_headers().unwrap();
        let sent: Vec<_> = headers.values().map(HeaderValue::as_bytes).collect();
        assert_eq!(sent, [b"1", b"3", b"2"]);
        let name = parse_name("X-b").unwrap();
        assert_eq!(fields.get(&name).count(), 2);
        fields
            .set("x-B", vec![b"4".to_vec(), b"5".to_vec()], 1 << 10)
            .unwrap();
        let all: Vec<_> = fields.iter().map(|(n, v)| (n, v.as_bytes())).collect();
        assert_eq!(all, [("a", &b"2"[..]), ("x-B", b"4"), ("x-B", b"5")]);
        fields.remove(&name);
        assert_eq!(fields.size(), 1 + 1 + 32);
    }

    #[test]
    fn syntax_is_checked() {
        let mut fields = FieldMap::new();
        for name in ["", "a b", "a:", "a\r\nb", "ä", "a\0"] {
            assert_eq!(
                append(&mut fields, name, "x"),
                Err(FieldMapError::InvalidSyntax),
                "{name:?}"
            );
        }
        for value in ["a\r\nb: c", "a\nb", "a\0", "\u{7f}"] {
            assert_eq!(
                append(&mut fields, "a", value),
                Err(FieldMapError::InvalidSyntax),
                "{value:?}"
            );
            let set = fields.set("a", vec![b"ok".to_vec(), value.into()], 1 << 10);
            assert_eq!(set, Err(FieldMapError::InvalidSyntax));
        }
        assert_eq!(fields.size(), 0);
        append(&mut fields, "a", "tab\tand \u{e4}").unwrap();
        append(&mut fields, "empty", "").unwrap();
    }

    #[test]
    fn size_is_limited() {
        let mut fields = FieldMap::new();
        assert_eq!(
            fields.append("a", vec![b'x'; 1 << 20], 1 << 10),
            Err(FieldMapError::TooLarge)
        );
        let mut count = 0;
        while append(&mut fields, "name", "value").is_ok() {
            count += 1;
        }
        assert_eq!(count, (1 << 10) / (4 + 5 + 32));
        assert_eq!(
            fields.set("b", vec![vec![b'x'; 100]], 1 << 10),
            Err(FieldMapError::TooLarge)
        );
        // What is replaced makes room.
        fields.set("name", vec![vec![b'x'; 900]], 1 << 10).unwrap();
        assert_eq!(fields.size(), 936);
    }

    #[test]
    fn short_entries_count_what_they_take() {
        let mut fields = FieldMap::new();
        for _ in 0..20 {
            append(&mut fields, "a", "").unwrap();
        }
        assert!(fields.memory() >= 20 * (size_of::<Entry>() + 1));
    }

    #[test]
    fn content_length_is_one_number() {
        let length = |values: &[&str]| {
            let mut fields = FieldMap::new();
            for value in values {
                append(&mut fields, "Content-Length", value).unwrap();
            }
            fields.content_length()
        };
        assert_eq!(length(&[]), Ok(None));
        assert_eq!(length(&["12"]), Ok(Some(12)));
        for bad in [
            &["+1"][..],
            &[""],
            &["1", "1"],
            &["1, 1"],
            &["99999999999999999999"],
            &["0x1"],
        ] {
            assert!(length(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn conversion_to_and_from_messages() {
        let mut fields = FieldMap::new();
        append(&mut fields, "Set-Cookie", "a").unwrap();
        append(&mut fields, "set-cookie", "b").unwrap();
        append(&mut fields, "host", "c").unwrap();
        let headers = fields.to_headers().unwrap();
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        let back = FieldMap::from_headers(&headers, |name| name != "host");
        assert_eq!(back.iter().count(), 2);
    }
}
