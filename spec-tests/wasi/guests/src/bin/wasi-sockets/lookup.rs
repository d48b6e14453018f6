//! Looking up names.

use wasi_conformance::net::E;
use wasi_conformance::{Case, check, check_eq, ok};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::{ResolveAddressStream, resolve_addresses};
use wasip2::sockets::network::IpAddress;

pub const CASES: &[Case] = &[
    ("lookup-addresses", addresses),
    ("lookup-invalid", invalid),
    ("lookup-localhost", localhost),
    ("lookup-dropped", dropped),
    ("lookup-mapped", mapped),
    ("lookup-several", several),
];

fn all(stream: &ResolveAddressStream) -> Result<Vec<IpAddress>, E> {
    let mut found = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => found.push(address),
            Ok(None) => return Ok(found),
            Err(E::WouldBlock) => stream.subscribe().block(),
            Err(e) => return Err(e),
        }
    }
}

fn addresses() {
    let network = instance_network();
    for (text, expected) in [("127.0.0.1", "Ipv4((127, 0, 0, 1))"), ("::1", "Ipv6((0, 0, 0, 0, 0, 0, 0, 1))"),
        ("2001:DB8::a:0", "Ipv6((8193, 3512, 0, 0, 0, 0, 10, 0))")] {
        let stream = ok!(resolve_addresses(&network, text));
        let found = ok!(all(&stream));
        check_eq!(found.len(), 1);
        check_eq!(format!("{:?}", found[0]).replace("IpAddress::", ""), expected);
        check!(ok!(stream.resolve_next_address()).is_none());
    }
}

fn invalid() {
    let network = instance_network();
    let long = "a".repeat(64) + ".example";
    for name in ["", " ", "a b", "a..b", "example.org:80", "http://example.org", "256.256.256.256", ":::", "[::1", &long] {
        match resolve_addresses(&network, name) {
            Err(E::InvalidArgument) => {}
            Err(e) => wasi_conformance::fail(file!(), line!(), &format!("{name:?} failed with {e:?}")),
            Ok(_) => wasi_conformance::fail(file!(), line!(), &format!("{name:?} was taken for a name")),
        }
    }
}

fn localhost() {
    let network = instance_network();
    // The last one becomes the first by the rules of IDNA.
    for name in ["localhost", "LOCALHOST", "ｌｏｃａｌｈｏｓｔ"] {
        let stream = ok!(resolve_addresses(&network, name));
        let found = ok!(all(&stream));
        check!(!found.is_empty());
        for address in found {
            check!(match address {
                IpAddress::Ipv4((a, ..)) => a == 127,
                IpAddress::Ipv6(address) => address == (0, 0, 0, 0, 0, 0, 0, 1),
            });
        }
        check!(ok!(stream.resolve_next_address()).is_none());
        check!(stream.subscribe().ready());
    }
}

fn dropped() {
    let network = instance_network();
    for _ in 0..20 {
        drop(ok!(resolve_addresses(&network, "localhost")));
    }
    check!(!ok!(all(&ok!(resolve_addresses(&network, "localhost")))).is_empty());
}

fn mapped() {
    // It is an address, or an argument that is not taken, but never comes back as it is.
    match resolve_addresses(&instance_network(), "::ffff:127.0.0.1") {
        Err(error) => check!(matches!(error, E::InvalidArgument)),
        Ok(stream) => {
            for address in all(&stream).unwrap_or_default() {
                check!(match address {
                    IpAddress::Ipv4(address) => address == (127, 0, 0, 1),
                    IpAddress::Ipv6(address) => (address.4, address.5) != (0, 0xffff),
                });
            }
        }
    }
}

fn several() {
    // At the same time, each with its own answer, and waited for together.
    let network = instance_network();
    let streams: Vec<_> = ["127.0.0.1", "localhost", "127.0.0.2", "::1"].map(|name| ok!(resolve_addresses(&network, name))).into();
    let ready: Vec<_> = streams.iter().map(ResolveAddressStream::subscribe).collect();
    check!(!wasip2::io::poll::poll(&ready.iter().collect::<Vec<_>>()).is_empty());
    drop(ready);
    let found: Vec<_> = streams.iter().map(|stream| ok!(all(stream))).collect();
    check!(matches!(found[0][..], [IpAddress::Ipv4((127, 0, 0, 1))]));
    check!(!found[1].is_empty());
    check!(matches!(found[2][..], [IpAddress::Ipv4((127, 0, 0, 2))]));
    check!(matches!(found[3][..], [IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 1))]));
}
