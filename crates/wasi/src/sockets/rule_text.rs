//! The text form of rules; [`NetRule`] documents it.

use super::ports::Ports;
use super::rule::{Access, NetRule, Target};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The words that rules begin with.
const KINDS: [(&str, Access); 7] = [
    ("tcp-connect", Access::TCP_CONNECT),
    ("tcp-listen", Access::TCP_LISTEN),
    ("tcp", Access::TCP),
    ("udp-send", Access::UDP_SEND),
    ("udp-bind", Access::UDP_BIND),
    ("udp", Access::UDP),
    ("lookup", Access::LOOKUP),
];

/// The text of a rule is not of the form that [`NetRule`] documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetRuleError(String);

impl fmt::Display for NetRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NetRuleError {}

fn wrong<T>(message: impl Into<String>) -> Result<T, NetRuleError> {
    Err(NetRuleError(message.into()))
}

impl FromStr for NetRule {
    type Err = NetRuleError;

    fn from_str(text: &str) -> Result<NetRule, NetRuleError> {
        if text == "all" {
            return Ok(NetRule::all());
        }
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let Some((_, access)) = KINDS.iter().find(|(name, _)| *name == kind) else {
            let kinds: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
            return wrong(format!(
                "expected `all`, or one of {} and a colon",
                kinds.join(", ")
            ));
        };
        if *access == Access::LOOKUP {
            let target = match rest {
                "*" => Target::Any,
                name => name_target(name)?,
            };
            return Ok(NetRule {
                access: *access,
                target,
                ports: Ports::any(),
            });
        }
        let Some((host, ports)) = rest.rsplit_once(':') else {
            return wrong("expected a port behind the address, such as :80, :8000-8010 or :*");
        };
        let target = parse_target(host)?;
        let ports = ports.parse().map_err(NetRuleError)?;
        Ok(NetRule {
            access: *access,
            target,
            ports,
        })
    }
}

fn parse_target(host: &str) -> Result<Target, NetRuleError> {
    if host == "*" {
        return Ok(Target::Any);
    }
    if let Some(rest) = host.strip_prefix('[') {
        let Some((ip, prefix)) = rest.split_once(']') else {
            return wrong("expected ] behind the IPv6 address");
        };
        let Ok(ip) = ip.parse::<Ipv6Addr>() else {
            return wrong(format!("{ip} is not an IPv6 address"));
        };
        if ip.to_ipv4_mapped().is_some() {
            return wrong("IPv4 addresses are written as such, not as IPv6 addresses");
        }
        return network(ip.into(), prefix, 128);
    }
    if host.contains(':') {
        return wrong("expected brackets around the IPv6 address, such as [::1]:80");
    }
    let (ip, prefix) = match host.find('/') {
        Some(at) => host.split_at(at),
        None => (host, ""),
    };
    match ip.parse::<Ipv4Addr>() {
        Ok(ip) => network(ip.into(), prefix, 32),
        Err(_) => name_target(host),
    }
}

/// The addresses that share a prefix: `prefix` is empty, or `/` and the number of bits.
fn network(ip: IpAddr, prefix: &str, width: u8) -> Result<Target, NetRuleError> {
    let bits = match prefix.strip_prefix('/') {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= width),
        None => prefix.is_empty().then_some(width),
    };
    match bits {
        Some(bits) => Ok(Target::Network(ip, bits)),
        None => wrong(format!(
            "expected /BITS with at most {width} bits behind the address"
        )),
    }
}

fn name_target(text: &str) -> Result<Target, NetRuleError> {
    let (name, local) = match text.strip_suffix("+local") {
        Some(name) => (name, true),
        None => (text, false),
    };
    match name.parse() {
        Ok(pattern) => Ok(Target::Name { pattern, local }),
        Err(_) => wrong(format!("{name:?} is neither an address nor a host name")),
    }
}

impl fmt::Display for NetRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("all");
        }
        let kind = KINDS.iter().find(|(_, access)| *access == self.access);
        write!(f, "{}:", kind.map_or("", |(name, _)| name))?;
        match &self.target {
            Target::Any => f.write_str("*")?,
            Target::Network(IpAddr::V4(ip), 32) => write!(f, "{ip}")?,
            Target::Network(IpAddr::V4(ip), bits) => write!(f, "{ip}/{bits}")?,
            Target::Network(IpAddr::V6(ip), 128) => write!(f, "[{ip}]")?,
            Target::Network(IpAddr::V6(ip), bits) => write!(f, "[{ip}]/{bits}")?,
            Target::Name { pattern, local } => {
                write!(f, "{pattern}{}", if *local { "+local" } else { "" })?;
            }
        }
        if self.access == Access::LOOKUP {
            return Ok(());
        }
        write!(f, ":{}", self.ports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> NetRule {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn text_form_and_back() {
        for text in [
            "tcp-connect:127.0.0.1:8080",
            "tcp-listen:[::1]:0",
            "udp:10.0.0.0/8:*",
            "udp-send:[fd00::]/8:53",
            "tcp-connect:example.org:443",
            "tcp:*:1-1023",
            "udp-bind:*:*",
            "lookup:example.org",
            "lookup:*",
            "lookup:*.example.org",
            "tcp-connect:db.internal+local:5432",
            "tcp-connect:*.example.org:80,443,8000-8010",
            "all",
            "tcp-connect:0.0.0.0/0:80",
        ] {
            assert_eq!(rule(text).to_string(), text);
        }
        assert_eq!(
            rule("tcp-connect:EXAMPLE.org.:80").to_string(),
            "tcp-connect:example.org:80"
        );
    }

    #[test]
    fn malformed_rules_say_what_was_expected() {
        for (text, expected) in [
            ("", "tcp-connect"),
            ("tcp-connect", "port"),
            ("ftp:1.2.3.4:1", "tcp-listen"),
            ("tcp-connect:example.org", "port"),
            ("tcp-connect:1.2.3.4:", "port"),
            ("tcp-connect:1.2.3.4:70000", "port"),
            ("tcp-connect:1.2.3.4:2-1", "range"),
            ("tcp-connect:1.2.3.4/33:1", "32 bits"),
            ("tcp-connect:1.2.3.4/:1", "32 bits"),
            ("tcp-connect:[::1]/129:1", "128 bits"),
            ("tcp-connect:[::1]x:1", "128 bits"),
            ("tcp-connect:[::1:1", "]"),
            ("tcp-connect:::1:1", "brackets"),
            ("tcp-connect:[::ffff:1.2.3.4]:1", "IPv4"),
            ("tcp-connect:a b:1", "host name"),
            ("tcp-connect:1.2.3:1", "host name"),
            ("lookup:", "host name"),
            ("lookup:example.org:80", "host name"),
            ("lookup:1.2.3.4", "host name"),
        ] {
            let error = text.parse::<NetRule>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
