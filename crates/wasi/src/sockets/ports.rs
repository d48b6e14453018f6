//! Sets of ports.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Some of the ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports(Vec<RangeInclusive<u16>>);

impl Ports {
    /// All ports, and 0, which lets the system choose.
    pub(crate) fn any() -> Ports {
        Ports(vec![0..=u16::MAX])
    }

    pub(crate) fn one(port: u16) -> Ports {
        Ports(vec![port..=port])
    }

    pub(crate) fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(&port))
    }
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Ports, String> {
        if text == "*" {
            return Ok(Ports::any());
        }
        let port = |text: &str| {
            text.parse::<u16>().map_err(|_| {
                format!("expected a port from 0 to 65535, a range such as 8000-8010, or *, not {text:?}")
            })
        };
        let range = |text: &str| match text.split_once('-') {
            Some((first, last)) => Ok(port(first)?..=port(last)?),
            None => port(text).map(|port| port..=port),
        };
        let ranges = text.split(',').map(range).collect::<Result<Vec<_>, String>>()?;
        match ranges.iter().find(|range| range.is_empty()) {
            Some(empty) => Err(format!(
                "the range {}-{} has no ports",
                empty.start(),
                empty.end()
            )),
            None => Ok(Ports(ranges)),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match (*range.start(), *range.end()) {
                (0, u16::MAX) if self.0.len() == 1 => write!(f, "{comma}*")?,
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}
