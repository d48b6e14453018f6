//! Which hosts a guest may send requests to.

use crate::address::{is_loopback, is_public, is_unicast};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The schemes that requests can go out with.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Without encryption.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The port that is meant when none is named.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// Grants for outgoing requests. What no rule allows is denied.
///
/// ```
/// use wharf_wasi_http::{HttpPolicy, Scheme};
///
/// let policy = HttpPolicy::new().allow("https://*.example.org")?.allow("http://127.0.0.1:8080")?;
/// assert!(policy.check(Scheme::Https, "api.example.org", 443).is_some());
/// assert!(policy.check(Scheme::Https, "example.org", 443).is_none());
/// assert!(policy.check(Scheme::Http, "127.0.0.1", 80).is_none());
/// # Ok::<(), wharf_wasi_http::RuleError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct HttpPolicy {
    rules: Vec<HttpRule>,
}

impl HttpPolicy {
    /// A policy that denies everything.
    pub fn new() -> HttpPolicy {
        HttpPolicy::default()
    }

    /// Adds a rule in the form that [`HttpRule`] has.
    ///
    /// # Errors
    /// If the text is not a rule.
    pub fn allow(self, rule: &str) -> Result<HttpPolicy, RuleError> {
        Ok(self.rule(rule.parse()?))
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: HttpRule) -> HttpPolicy {
        self.rules.push(rule);
        self
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the rules say about a request to this host; `None` when it is denied.
    pub fn check(&self, scheme: Scheme, host: &str, port: u16) -> Option<Grant> {
        let host = Host::new(host);
        let mut rules = self
            .rules
            .iter()
            .filter(|rule| rule.matches(scheme, &host, port))
            .peekable();
        rules.peek()?;
        let mut grant = Grant::default();
        for rule in rules {
            grant.h2c |= rule.h2c;
            match &rule.host {
                HostPattern::Address(_) => grant.literal = true,
                HostPattern::Name(name) if name == "localhost" => grant.loopback = true,
                _ if rule.private => grant.private = true,
                _ => grant.public = true,
            }
        }
        Some(grant)
    }
}

/// What a [`HttpPolicy`] says about one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    literal: bool,
    loopback: bool,
    private: bool,
    public: bool,
    h2c: bool,
}

impl Grant {
    /// Whether the request may be sent to this address, which the name of the host stands for at present.
    pub fn permits(&self, address: IpAddr) -> bool {
        self.literal
            || (self.loopback && is_loopback(address))
            || (self.private && is_unicast(address))
            || (self.public && is_public(address))
    }

    /// Whether the host is to be talked to in HTTP/2 without TLS.
    pub fn h2c(&self) -> bool {
        self.h2c
    }
}

/// One grant: `SCHEME://HOST[:PORT][::private]`.
///
/// - `SCHEME` is `http`, `https`, `*` for both, or `h2c` for requests of scheme `http` that are sent as HTTP/2 at once.
/// - `HOST` is a name, `*.` before a name for everything below it, `*` for every host, or an address, an IPv6 one in brackets.
/// - `PORT` is a number or `*`; without it the scheme's own port is meant.
///
/// Whatever a name resolves to, a rule leads to public addresses only; `localhost` leads to this machine only, and an
/// address to that address. `::private` lifts that for hosts of an internal network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRule {
    http: bool,
    https: bool,
    h2c: bool,
    host: HostPattern,
    port: Port,
    private: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// Begins with a dot.
    Below(String),
    Name(String),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Any,
    Default,
    Number(u16),
}

/// The host of a request, in the form in which hosts are compared.
enum Host {
    Name(String),
    Address(IpAddr),
}

impl Host {
    fn new(host: &str) -> Host {
        match parse_address(host) {
            Some(address) => Host::Address(address),
            None => Host::Name(normalize(host)),
        }
    }
}

/// Names are compared in lower case and without the dot that ends a full name.
fn normalize(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// An address as hosts have it: IPv6 in brackets, without a zone.
pub(crate) fn parse_address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => Some(IpAddr::V6(rest.strip_suffix(']')?.parse().ok()?)),
        None => Some(IpAddr::V4(host.parse().ok()?)),
    }
}

impl HttpRule {
    /// The same rule, leading to addresses of internal networks too.
    #[must_use]
    pub fn allow_private(mut self) -> HttpRule {
        self.private = true;
        self
    }

    fn matches(&self, scheme: Scheme, host: &Host, port: u16) -> bool {
        let scheme_matches = match scheme {
            Scheme::Http => self.http,
            Scheme::Https => self.https,
        };
        let port_matches = match self.port {
            Port::Any => true,
            Port::Default => port == scheme.default_port(),
            Port::Number(number) => port == number,
        };
        let host_matches = match (&self.host, host) {
            (HostPattern::Any, _) => true,
            (HostPattern::Below(end), Host::Name(name)) => {
                name.len() > end.len() && name.ends_with(end.as_str())
            }
            (HostPattern::Name(wanted), Host::Name(name)) => wanted == name,
            (HostPattern::Address(wanted), Host::Address(address)) => wanted == address,
            _ => false,
        };
        scheme_matches && port_matches && host_matches
    }
}

/// Why a text is not an [`HttpRule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    rule: String,
    reason: &'static str,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a rule for HTTP requests: {}",
            self.rule.escape_debug(),
            self.reason
        )
    }
}

impl std::error::Error for RuleError {}

impl FromStr for HttpRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<HttpRule, RuleError> {
        let error = |reason| RuleError {
            rule: text.to_owned(),
            reason,
        };
        let (rest, private) = match text.strip_suffix("::private") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (scheme, rest) = rest
            .split_once("://")
            .ok_or_else(|| error("expected SCHEME://HOST[:PORT]"))?;
        let (http, https, h2c) = match scheme {
            "http" => (true, false, false),
            "https" => (false, true, false),
            "h2c" => (true, false, true),
            "*" => (true, true, false),
            _ => return Err(error("the scheme is not http, https, h2c or *")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // The colons of an IPv6 address are inside brackets.
        let at = rest.rfind(']').unwrap_or(0);
        let (host, port) = match rest.get(at..).and_then(|tail| tail.find(':')) {
            Some(colon) => {
                let (host, port) = rest.split_at(at + colon);
                (host, Some(port.get(1..).unwrap_or_default()))
            }
            None => (rest, None),
        };
        let port = match port {
            None => Port::Default,
            Some("*") => Port::Any,
            Some(number) => match number.parse() {
                Ok(number) if number != 0 => Port::Number(number),
                _ => return Err(error("the port is not a number or *")),
            },
        };
        let is_name = |name: &str| {
            !name.is_empty()
                && name.len() <= 253
                && name.split('.').all(|label| {
                    !label.is_empty()
                        && label.len() <= 63
                        && label
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                })
        };
        let host = if host == "*" {
            HostPattern::Any
        } else if let Some(address) = parse_address(host) {
            HostPattern::Address(address)
        } else if let Some(name) = host.strip_prefix("*.") {
            let name = normalize(name);
            if !is_name(&name) {
                return Err(error("the host is not a name behind `*.`"));
            }
            HostPattern::Below(format!(".{name}"))
        } else {
            let name = normalize(host);
            if !is_name(&name) {
                return Err(error("the host is neither a name nor an address nor a pattern"));
            }
            HostPattern::Name(name)
        };
        Ok(HttpRule {
            http,
            https,
            h2c,
            host,
            port,
            private,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(rule: &str, scheme: Scheme, host: &str, port: u16) -> bool {
        let policy = HttpPolicy::new().allow(rule).unwrap();
        policy.check(scheme, host, port).is_some()
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(
            HttpPolicy::new()
                .check(Scheme::Https, "example.org", 443)
                .is_none()
        );
    }

    #[test]
    fn scheme_host_and_port_have_to_match() {
        use Scheme::*;
        let rule = "https://api.example.org";
        assert!(allowed(rule, Https, "api.example.org", 443));
        assert!(allowed(rule, Https, "API.Example.ORG.", 443));
        assert!(!allowed(rule, Http, "api.example.org", 80));
        assert!(!allowed(rule, Http, "api.example.org", 443));
        assert!(!allowed(rule, Https, "api.example.org", 8443));
        assert!(!allowed(rule, Https, "example.org", 443));
        assert!(!allowed(rule, Https, "api.example.org.evil.test", 443));
        assert!(allowed("https://a.b/", Https, "a.b", 443));
        assert!(allowed("*://a.b:*", Http, "a.b", 1));
        assert!(allowed("*://a.b", Http, "a.b", 80));
        assert!(!allowed("*://a.b", Http, "a.b", 443));
        assert!(allowed("http://[::1]:80", Http, "[::1]", 80));
        assert!(allowed("http://[::1]", Http, "[0:0::1]", 80));
        assert!(!allowed("http://127.0.0.1", Http, "localhost", 80));
    }

    #[test]
    fn patterns_stand_for_what_is_below() {
        let rule = "https://*.example.org";
        assert!(allowed(rule, Scheme::Https, "a.b.example.org", 443));
        assert!(!allowed(rule, Scheme::Https, "example.org", 443));
        assert!(!allowed(rule, Scheme::Https, "notexample.org", 443));
        assert!(!allowed(rule, Scheme::Https, ".example.org", 443));
        assert!(allowed("https://*", Scheme::Https, "anything", 443));
    }

    #[test]
    fn names_lead_to_public_addresses_only() {
        let permits = |rule: &str, host: &str, address: &str| {
            let policy = HttpPolicy::new().allow(rule).unwrap();
            let grant = policy.check(Scheme::Http, host, 80).unwrap();
            grant.permits(address.parse().unwrap())
        };
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "::1",
            "fd00::1",
            "0.0.0.0",
        ] {
            assert!(
                !permits("http://example.org", "example.org", address),
                "{address}"
            );
            assert!(!permits("http://*", "example.org", address), "{address}");
            assert!(!permits("http://*", "127.0.0.1", address), "{address}");
        }
        assert!(permits("http://example.org", "example.org", "1.1.1.1"));
        assert!(permits("http://localhost", "localhost", "127.0.0.1"));
        assert!(!permits("http://localhost", "localhost", "10.0.0.1"));
        assert!(permits("http://10.0.0.1", "10.0.0.1", "10.0.0.1"));
        assert!(permits("http://intern.corp::private", "intern.corp", "10.0.0.1"));
        assert!(!permits("http://intern.corp::private", "intern.corp", "0.0.0.0"));
        assert!(permits("http://[fd00::1]:80", "[fd00::1]", "fd00::1"));
    }

    #[test]
    fn malformed_rules_are_refused() {
        for rule in [
            "",
            "example.org",
            "ftp://a",
            "https://",
            "https://a:0",
            "https://a:70000",
            "https://a b",
            "https://*.",
            "https://*x.a",
            "https://a/b",
            "https://[::1",
            "https://::1",
            "https://u@a",
            "https://a..b",
        ] {
            assert!(rule.parse::<HttpRule>().is_err(), "{rule}");
        }
        let error = "x://\u{1b}".parse::<HttpRule>().unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}
