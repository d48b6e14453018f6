//! Host names: what a guest may ask for, in one spelling, and patterns of them.

use super::error::SocketErrorCode;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The longest text of a name in the domain name system.
const MAX_NAME: usize = 253;
/// The longest part between two dots.
const MAX_LABEL: usize = 63;

/// What a guest gives to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// An address in text form is its own answer.
    Address(IpAddr),
    /// A name in its canonical spelling.
    Name(String),
}

impl FromStr for Host {
    type Err = SocketErrorCode;

    fn from_str(text: &str) -> Result<Host, SocketErrorCode> {
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(v6) = bracketed {
            let ip: Ipv6Addr = v6.parse().map_err(|_| SocketErrorCode::InvalidArgument)?;
            return Ok(Host::Address(IpAddr::V6(ip).to_canonical()));
        }
        match text.parse::<IpAddr>() {
            Ok(ip) => Ok(Host::Address(ip.to_canonical())),
            Err(_) => canonical_name(text).map(Host::Name),
        }
    }
}

/// The one spelling of a name: lower case, in ASCII, without a dot at the end.
///
/// # Errors
/// `invalid-argument` for what is no host name, also for the spellings of IPv4 addresses that only some resolvers know.
pub(crate) fn canonical_name(text: &str) -> Result<String, SocketErrorCode> {
    let invalid = SocketErrorCode::InvalidArgument;
    // Before it is converted, so that no work is done for what can't be a name.
    if text.len() > MAX_NAME * 4 {
        return Err(invalid);
    }
    let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::URL).map_err(|_| invalid)?;
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(invalid);
    }
    if name
        .split('.')
        .any(|label| label.is_empty() || label.len() > MAX_LABEL)
    {
        return Err(invalid);
    }
    let of_hosts = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !name.bytes().all(of_hosts) {
        return Err(invalid);
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if hexadecimal || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid);
    }
    Ok(name.to_owned())
}

/// A host name, or all names below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamePattern {
    name: String,
    /// The names below, not the name itself.
    below: bool,
}

impl NamePattern {
    pub(crate) fn matches(&self, name: &str) -> bool {
        if self.below {
            name.strip_suffix(&self.name)
                .is_some_and(|prefix| prefix.ends_with('.'))
        } else {
            name == self.name
        }
    }
}

impl FromStr for NamePattern {
    type Err = SocketErrorCode;

    fn from_str(text: &str) -> Result<NamePattern, SocketErrorCode> {
        let (name, below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        Ok(NamePattern {
            name: canonical_name(name)?,
            below,
        })
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.name)
    }
}

/// Whether a name is reserved for the host itself.
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<Host, SocketErrorCode> {
        text.parse()
    }

    #[test]
    fn names_have_one_spelling() {
        for (text, expected) in [
            ("example.org", "example.org"),
            ("Example.ORG.", "example.org"),
            ("münchen.de", "xn--mnchen-3ya.de"),
            ("XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de"),
            ("ｅｘａｍｐｌｅ.org", "example.org"),
            ("my_service", "my_service"),
        ] {
            assert_eq!(name(text), Ok(Host::Name(expected.to_owned())), "{text}");
        }
    }

    #[test]
    fn addresses_are_their_own_answer() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("2001:0db8:0:0:0:0:0:0", "2001:db8::"),
        ] {
            assert_eq!(name(text), Ok(Host::Address(expected.parse().unwrap())), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a.".repeat(126) + "a";
        let longer = "a.".repeat(126) + "ab";
        let label = "a".repeat(64);
        let huge = "ü".repeat(100_000);
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            " ",
            "a b",
            "a/b",
            "a:80",
            "http://a",
            "[::1",
            "::1]",
            "[1.2.3.4]",
            "256.0.0.1",
            "1.2.3",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "a.0x1",
            "a.1",
            "fe80::1%eth0",
            "a\0b",
            "a%00",
            "*",
            "*.org",
            "xn--a",
            &longer,
            &label,
            &huge,
        ] {
            assert_eq!(name(text), Err(SocketErrorCode::InvalidArgument), "{text}");
        }
        assert!(name(&long).is_ok());
    }

    #[test]
    fn patterns_match_whole_labels() {
        let below: NamePattern = "*.Example.org".parse().unwrap();
        assert!(below.matches("a.example.org") && below.matches("a.b.example.org"));
        assert!(!below.matches("example.org") && !below.matches("badexample.org"));
        assert_eq!(below.to_string(), "*.example.org");
        let one: NamePattern = "example.org".parse().unwrap();
        assert!(one.matches("example.org") && !one.matches("a.example.org"));
        assert!("*.".parse::<NamePattern>().is_err() && "a.*.org".parse::<NamePattern>().is_err());
    }
}
