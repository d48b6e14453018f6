//! Strings: decoding, and encoding with the calls of `realloc` that the canonical ABI prescribes for each pair of encodings.

use wharf_core::{Error, Result, TrapCode};

use super::{LiftContext, LowerContext, MAX_STRING_BYTES, StringEncoding};

/// The highest bit of a length marks UTF-16 in the encoding `latin1+utf16`.
const UTF16_TAG: u32 = 1 << 31;

/// How a string is encoded where it comes from, and how many code units it has there.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    Utf8(u32),
    Utf16(u32),
    /// Latin-1 under `latin1+utf16`.
    Latin1(u32),
    /// UTF-16 under `latin1+utf16`.
    TaggedUtf16(u32),
}

/// The bytes of a guest's string, checked for length, alignment and bounds.
pub(crate) fn source<'a>(cx: &LiftContext<'a>, pointer: u32, length: u32) -> Result<(Source, &'a [u8])> {
    let (source, bytes, align) = match cx.encoding {
        StringEncoding::Utf8 => (Source::Utf8(length), u64::from(length), 1),
        StringEncoding::Utf16 => (Source::Utf16(length), 2 * u64::from(length), 2),
        StringEncoding::Latin1OrUtf16 if length & UTF16_TAG != 0 => {
            let units = length ^ UTF16_TAG;
            (Source::TaggedUtf16(units), 2 * u64::from(units), 2)
        }
        StringEncoding::Latin1OrUtf16 => (Source::Latin1(length), u64::from(length), 2),
    };
    let data = cx.bytes(pointer, bytes, align).map_err(|e| match e.trap_code() {
        Some(TrapCode::PointerOutOfBounds) => Error::trap(TrapCode::StringPointerOutOfBounds),
        _ => e,
    })?;
    if bytes > MAX_STRING_BYTES {
        return Err(Error::trap(TrapCode::StringTooLong));
    }
    Ok((source, data))
}

pub(crate) fn check_utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|e| {
        let code = if e.error_len().is_none() {
            TrapCode::IncompleteUtf8
        } else {
            TrapCode::InvalidUtf8
        };
        Error::trap(code)
    })
}

pub(crate) fn decode(source: Source, bytes: &[u8]) -> Result<String> {
    match source {
        Source::Utf8(_) => Ok(check_utf8(bytes)?.to_owned()),
        Source::Latin1(_) => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        Source::Utf16(_) | Source::TaggedUtf16(_) => {
            let units = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
            let chars = char::decode_utf16(units).collect::<Result<String, _>>();
            chars.map_err(|_| Error::trap(TrapCode::InvalidUtf16))
        }
    }
}

/// Lifts a guest's string.
pub(crate) fn lift(cx: &mut LiftContext<'_>, pointer: u32, length: u32) -> Result<String> {
    let (source, bytes) = source(cx, pointer, length)?;
    cx.spend(bytes.len() as u64)?;
    decode(source, bytes)
}

/// Lowers a string of the host.
pub(crate) fn lower(cx: &mut LowerContext<'_>, s: &str) -> Result<(u32, u32)> {
    if s.len() as u64 > MAX_STRING_BYTES {
        return Err(Error::trap(TrapCode::StringTooLong));
    }
    store(cx, s, Source::Utf8(s.len() as u32))
}

/// Writes a string into the guest's memory and returns the pointer and the (tagged) length.
pub(crate) fn store(cx: &mut LowerContext<'_>, s: &str, source: Source) -> Result<(u32, u32)> {
    match (cx.options.encoding, source) {
        (StringEncoding::Utf8, Source::Utf8(units)) => copy(cx, s.as_bytes(), 1, units),
        (StringEncoding::Utf8, Source::Utf16(units) | Source::TaggedUtf16(units)) => {
            to_utf8(cx, s, units, 3 * units)
        }
        (StringEncoding::Utf8, Source::Latin1(units)) => to_utf8(cx, s, units, 2 * units),
        (StringEncoding::Utf16, Source::Utf8(units)) => utf8_to_utf16(cx, s, units),
        (
            StringEncoding::Utf16,
            Source::Utf16(units) | Source::TaggedUtf16(units) | Source::Latin1(units),
        ) => copy(cx, &utf16(s), 2, units),
        (StringEncoding::Latin1OrUtf16, Source::Utf8(units) | Source::Utf16(units)) => {
            to_latin1_or_utf16(cx, s, units)
        }
        (StringEncoding::Latin1OrUtf16, Source::Latin1(units)) => {
            let bytes: Vec<u8> = s.chars().map(|c| c as u32 as u8).collect();
            copy(cx, &bytes, 2, units)
        }
        (StringEncoding::Latin1OrUtf16, Source::TaggedUtf16(units)) => probably_utf16(cx, s, units),
    }
}

fn utf16(s: &str) -> Vec<u8> {
    s.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn write(cx: &mut LowerContext<'_>, pointer: u32, bytes: &[u8]) -> Result<()> {
    cx.bytes_mut(pointer, bytes.len())?.copy_from_slice(bytes);
    Ok(())
}

fn copy(cx: &mut LowerContext<'_>, bytes: &[u8], align: u32, units: u32) -> Result<(u32, u32)> {
    let pointer = cx.allocate(align, bytes.len() as u32)?;
    write(cx, pointer, bytes)?;
    Ok((pointer, units))
}

fn to_utf8(cx: &mut LowerContext<'_>, s: &str, units: u32, worst: u32) -> Result<(u32, u32)> {
    let mut pointer = cx.allocate(1, units)?;
    let ascii = s.bytes().take_while(u8::is_ascii).count();
    let bytes = s.as_bytes();
    write(cx, pointer, &bytes[..ascii])?;
    if ascii == bytes.len() {
        return Ok((pointer, units));
    }
    pointer = cx.reallocate(pointer, units, 1, worst, worst)?;
    cx.bytes_mut(pointer, bytes.len())?[ascii..].copy_from_slice(&bytes[ascii..]);
    let size = bytes.len() as u32;
    if worst > size {
        pointer = cx.reallocate(pointer, worst, 1, size, size)?;
    }
    Ok((pointer, size))
}

fn utf8_to_utf16(cx: &mut LowerContext<'_>, s: &str, units: u32) -> Result<(u32, u32)> {
    let worst = 2 * units;
    let mut pointer = cx.allocate(2, worst)?;
    let encoded = utf16(s);
    write(cx, pointer, &encoded)?;
    let size = encoded.len() as u32;
    if size < worst {
        pointer = cx.reallocate(pointer, worst, 2, size, size)?;
    }
    Ok((pointer, size / 2))
}

fn to_latin1_or_utf16(cx: &mut LowerContext<'_>, s: &str, units: u32) -> Result<(u32, u32)> {
    let mut pointer = cx.allocate(2, units)?;
    let latin1: Vec<u8> = s.chars().map_while(|c| u8::try_from(c as u32).ok()).collect();
    write(cx, pointer, &latin1)?;
    let done = latin1.len();
    // Latin-1 characters have two bytes in UTF-8 from U+0080 on.
    let consumed: usize = latin1.iter().map(|b| if b.is_ascii() { 1 } else { 2 }).sum();
    if consumed == s.len() {
        if (done as u32) < units {
            pointer = cx.reallocate(pointer, units, 2, done as u32, done as u32)?;
        }
        return Ok((pointer, done as u32));
    }
    let worst = 2 * units;
    pointer = cx.reallocate(pointer, units, 2, worst, worst)?;
    let encoded = utf16(s);
    let target = cx.bytes_mut(pointer, encoded.len())?;
    for i in (0..done).rev() {
        target[2 * i] = target[i];
        target[2 * i + 1] = 0;
    }
    target[2 * done..].copy_from_slice(&encoded[2 * done..]);
    let size = encoded.len() as u32;
    if worst > size {
        pointer = cx.reallocate(pointer, worst, 2, size, size)?;
    }
    Ok((pointer, (size / 2) | UTF16_TAG))
}

fn probably_utf16(cx: &mut LowerContext<'_>, s: &str, units: u32) -> Result<(u32, u32)> {
    let encoded = utf16(s);
    let size = encoded.len() as u32;
    let pointer = cx.allocate(2, size)?;
    write(cx, pointer, &encoded)?;
    if s.chars().any(|c| c as u32 >= 256) {
        return Ok((pointer, units | UTF16_TAG));
    }
    let target = cx.bytes_mut(pointer, encoded.len())?;
    for i in 0..encoded.len() / 2 {
        target[i] = target[2 * i];
    }
    let pointer = cx.reallocate(pointer, size, 1, size / 2, size / 2)?;
    Ok((pointer, size / 2))
}
