//! The rules that a guest has been granted, and what its lookups have found.

use super::address::{IpFamily, is_local};
use super::name::is_localhost;
use super::rule::{Access, NetRule, Target};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

/// How many names are remembered with what they led to; the oldest are forgotten first.
const MAX_NAMES: usize = 64;
/// How many addresses are remembered for one name.
const MAX_ADDRESSES: usize = 64;

/// The rules of one guest. Without any, nothing is allowed.
#[derive(Clone, Debug, Default)]
pub struct NetPolicy {
    rules: Vec<NetRule>,
}

impl NetPolicy {
    /// A policy that allows nothing.
    pub fn new() -> NetPolicy {
        NetPolicy::default()
    }

    /// Allows what the rule grants, too.
    pub fn add(&mut self, rule: NetRule) -> &mut Self {
        self.rules.push(rule);
        self
    }

    /// The rules.
    pub fn rules(&self) -> impl Iterator<Item = &NetRule> {
        self.rules.iter()
    }

    /// Whether a rule grants this use of an address.
    pub(crate) fn allows(&self, access: Access, addr: SocketAddr, resolved: &Resolved) -> bool {
        self.rules.iter().any(|rule| rule.grants_address(access, addr))
            || resolved.names_of(addr.ip()).any(|name| {
                let local = is_local(addr.ip());
                let mut rules = self.rules.iter();
                rules.any(|rule| rule.grants_resolved(access, addr, name, local))
            })
    }

    /// Whether a rule lets the guest send datagrams of this family anywhere.
    pub(crate) fn may_send(&self, family: IpFamily) -> bool {
        self.rules.iter().any(|rule| rule.may_send(family))
    }

    /// Whether a rule grants the lookup of a name, which is in its canonical spelling.
    pub(crate) fn allows_lookup(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| lookup_of(rule, name).is_some())
    }

    /// Whether the guest may see that a lookup of `name` gave this address.
    pub(crate) fn reveals(&self, name: &str, ip: IpAddr) -> bool {
        !is_local(ip)
            || (is_localhost(name) && ip.is_loopback())
            || self.rules.iter().any(|rule| {
                let usable = rule.access != Access::LOOKUP && rule.covers(ip);
                usable || lookup_of(rule, name) == Some(true)
            })
    }
}

impl FromIterator<NetRule> for NetPolicy {
    fn from_iter<I: IntoIterator<Item = NetRule>>(rules: I) -> NetPolicy {
        NetPolicy {
            rules: rules.into_iter().collect(),
        }
    }
}

/// Whether a rule grants the lookup of a name, and if so whether local addresses are meant as well.
fn lookup_of(rule: &NetRule, name: &str) -> Option<bool> {
    match &rule.target {
        Target::Name { pattern, local } => pattern.matches(name).then_some(*local),
        Target::Any if rule.access.contains(Access::LOOKUP) => Some(rule.access == Access::ALL),
        Target::Any | Target::Network(..) => None,
    }
}

/// The addresses that a guest's lookups gave, with the names that it had asked for.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    names: VecDeque<(String, VecDeque<IpAddr>)>,
}

impl Resolved {
    /// Remembers addresses of a name, beside those of earlier lookups, which the guest may still be using.
    pub(crate) fn record(&mut self, name: &str, ips: &[IpAddr]) {
        let known = self.names.iter().position(|(known, _)| known == name);
        let (name, mut addresses) = known
            .and_then(|at| self.names.remove(at))
            .unwrap_or_else(|| (name.to_owned(), VecDeque::new()));
        for ip in ips {
            addresses.retain(|known| known != ip);
            addresses.push_back(*ip);
            if addresses.len() > MAX_ADDRESSES {
                addresses.pop_front();
            }
        }
        self.names.push_back((name, addresses));
        if self.names.len() > MAX_NAMES {
            self.names.pop_front();
        }
    }

    /// The names whose lookup gave this address.
    fn names_of(&self, ip: IpAddr) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .filter(move |(_, addresses)| addresses.contains(&ip))
            .map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rules: &[&str]) -> NetPolicy {
        rules.iter().map(|rule| rule.parse().unwrap()).collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn connects(policy: &NetPolicy, addr: &str, resolved: &Resolved) -> bool {
        policy.allows(Access::TCP_CONNECT, addr.parse().unwrap(), resolved)
    }

    #[test]
    fn nothing_is_allowed_without_rules() {
        let nothing = NetPolicy::new();
        assert!(!connects(&nothing, "127.0.0.1:80", &Resolved::default()));
        assert!(!nothing.allows_lookup("localhost"));
        assert!(!nothing.may_send(IpFamily::V4));
    }

    #[test]
    fn a_name_grants_what_its_own_lookup_gave() {
        let policy = policy(&["tcp-connect:example.org:443", "lookup:other.org"]);
        let mut resolved = Resolved::default();
        assert!(!connects(&policy, "1.1.1.1:443", &resolved));
        // Another name with the same address doesn't help.
        resolved.record("other.org", &[ip("1.1.1.1")]);
        assert!(!connects(&policy, "1.1.1.1:443", &resolved));
        resolved.record("example.org", &[ip("1.1.1.1")]);
        assert!(connects(&policy, "1.1.1.1:443", &resolved));
        assert!(!connects(&policy, "1.1.1.1:80", &resolved));
        assert!(!policy.allows(Access::TCP_LISTEN, "1.1.1.1:443".parse().unwrap(), &resolved));
        // A later lookup adds to it.
        resolved.record("example.org", &[ip("2.2.2.2")]);
        assert!(connects(&policy, "1.1.1.1:443", &resolved) && connects(&policy, "2.2.2.2:443", &resolved));
    }

    #[test]
    fn a_name_that_is_bound_anew_to_a_local_address_grants_nothing() {
        let mut resolved = Resolved::default();
        let local = [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "::1",
            "fe80::1",
            "fd00::1",
            "64:ff9b::7f00:1",
        ];
        for address in local {
            resolved.record("evil.org", &[ip(address)]);
        }
        let named = policy(&["tcp-connect:evil.org:80"]);
        let trusted = policy(&["tcp-connect:evil.org+local:80"]);
        let address = policy(&["tcp-connect:evil.org:80", "tcp-connect:127.0.0.0/8:80"]);
        for text in local {
            let addr = SocketAddr::new(ip(text), 80);
            assert!(!named.allows(Access::TCP_CONNECT, addr, &resolved), "{text}");
            assert!(trusted.allows(Access::TCP_CONNECT, addr, &resolved), "{text}");
            assert!(!named.reveals("evil.org", ip(text)), "{text}");
            assert!(trusted.reveals("evil.org", ip(text)), "{text}");
        }
        assert!(
            connects(&address, "127.0.0.1:80", &resolved) && !connects(&address, "10.0.0.1:80", &resolved)
        );
        assert!(address.reveals("evil.org", ip("127.0.0.1")));
    }

    #[test]
    fn lookups_follow_from_rules_with_names() {
        let policy = policy(&["tcp-connect:example.org:443", "lookup:*.a.org", "udp:127.0.0.1:*"]);
        assert!(policy.allows_lookup("example.org") && policy.allows_lookup("x.a.org"));
        assert!(!policy.allows_lookup("a.org") && !policy.allows_lookup("localhost"));
        assert!(self::policy(&["lookup:*"]).allows_lookup("a.org"));
        assert!(!self::policy(&["tcp:*:*"]).allows_lookup("a.org"));
        assert!(!self::policy(&["lookup:*"]).reveals("a.org", ip("10.0.0.1")));
        assert!(self::policy(&["lookup:*"]).reveals("localhost", ip("127.0.0.1")));
        assert!(self::policy(&["all"]).reveals("a.org", ip("10.0.0.1")));
        assert!(policy.may_send(IpFamily::V4) && !policy.may_send(IpFamily::V6));
    }

    #[test]
    fn memory_of_lookups_is_bounded() {
        let mut resolved = Resolved::default();
        for i in 0..1000u32 {
            resolved.record(&format!("n{i}.org"), &[ip("1.1.1.1")]);
            resolved.record("same.org", &[IpAddr::V4(i.into())]);
        }
        assert_eq!(resolved.names.len(), MAX_NAMES);
        assert!(resolved.names.iter().all(|(_, ips)| ips.len() <= MAX_ADDRESSES));
        assert_eq!(
            resolved.names_of(ip("0.0.3.231")).collect::<Vec<_>>(),
            ["same.org"]
        );
    }
}
