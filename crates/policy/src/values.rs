//! Values of policy files that TOML has no type for.

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use wharf_wasi_keyvalue::BackendUrl;
use wharf_wasi_logging::{Format, Level};

/// A number of bytes: `65536`, or `"64K"` with one of the suffixes K, M and G.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

impl FromStr for Bytes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Bytes, &'static str> {
        let (digits, unit) = match text.char_indices().last() {
            Some((i, 'k' | 'K')) => (&text[..i], 1 << 10),
            Some((i, 'm' | 'M')) => (&text[..i], 1 << 20),
            Some((i, 'g' | 'G')) => (&text[..i], 1 << 30),
            _ => (text, 1u64),
        };
        let number: u64 = digits
            .parse()
            .map_err(|_| "expected a number of bytes, such as \"64M\"")?;
        number
            .checked_mul(unit)
            .map(Bytes)
            .ok_or("too large a number of bytes")
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct BytesVisitor;
        impl Visitor<'_> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, such as \"64M\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Bytes, E> {
                match u64::try_from(number) {
                    Ok(number) => Ok(Bytes(number)),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(BytesVisitor)
    }
}

/// Values that are parsed from text.
macro_rules! from_text {
    ($($(#[$doc:meta])* $name:ident($of:ty) = $parse:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub(crate) struct $name(pub(crate) $of);

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    $parse(&text).map($name).map_err(D::Error::custom)
                }
            }
        )*
    };
}

from_text! {
    /// A time with its unit: `"500ms"`, `"10s"`, `"2m"`.
    Time(Duration) = time;
    /// Where a bucket is kept.
    Url(BackendUrl) = |text: &str| text.parse::<BackendUrl>();
    /// A level of messages.
    LevelName(Level) = |text: &str| text.parse::<Level>();
    /// How messages are written.
    FormatName(Format) = |text: &str| match text {
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        _ => Err("expected text or json"),
    };
}

fn time(text: &str) -> Result<Duration, &'static str> {
    let expected = "expected a time with its unit, such as \"500ms\", \"10s\" or \"2m\"";
    // The longer unit first: "ms" ends in "s", too.
    for (unit, factor) in [("ms", 1), ("s", 1000), ("m", 60_000)] {
        if let Some(number) = text.strip_suffix(unit) {
            let number: u64 = number.parse().map_err(|_| expected)?;
            let millis = number.checked_mul(factor).ok_or("too long a time")?;
            return match millis {
                0 => Err("a time limit must be longer than nothing"),
                millis => Ok(Duration::from_millis(millis)),
            };
        }
    }
    Err(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        assert_eq!("64".parse(), Ok(Bytes(64)));
        assert_eq!("2K".parse(), Ok(Bytes(2048)));
        assert_eq!("3m".parse(), Ok(Bytes(3 << 20)));
        for bad in ["", "M", "-1", "1.5M", "99999999999999999G", "ä"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "10", "s", "0s", "-1s", "1h", "999999999999999999m"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
