//! Bindings of the WASI worlds, in the ways in which hosts use the options.

use std::io::Read;

use wharf as engine;
use wharf::component::{HasSelf, Linker};

/// A host's own types for resources and errors.
mod command {
    use wharf::component::bindgen;

    #[derive(Debug)]
    pub(crate) struct MyPollable;
    pub(crate) struct FsError;
    pub(crate) struct NetError;

    bindgen!({
        path: "../../wit",
        world: "wasi:cli/command@0.2.12",
        with: {
            "wasi:io/poll/pollable": MyPollable,
            "wasi:io/streams@0.2.12.input-stream": Box<dyn std::io::Read + Send>,
            "wasi:io/error.error": wharf::Error,
        },
        trappable_error_type: {
            "wasi:filesystem/types/error-code" => FsError,
            "wasi:sockets/network.error-code" => NetError,
        },
        imports: {
            "wasi:io/poll": async,
            "wasi:filesystem/types.[method]descriptor.stat": async,
            "wasi:io/streams.[drop]output-stream": async,
            default: trappable,
        },
    });
}

/// Bindings that take packages and interfaces from other ones.
mod proxy {
    wharf::component::bindgen!({
        path: "../../wit",
        world: "proxy",
        with: {
            "wasi:io": crate::command::wasi::io,
            "wasi:clocks/wall-clock": crate::command::wasi::clocks::wall_clock,
            "wasi:random@0.2.12": crate::command::wasi::random,
        },
        imports: { default: async },
        exports: { default: async },
    });
}

/// With what is unstable, and the crate by another name.
mod unstable {
    wharf::component::bindgen!({
        path: "../../wit",
        world: "imports",
        features: ["clocks-timezone", "network-error-code", "informational-outbound-responses"],
        wharf_crate: crate::engine,
    });
}

/// A host that has one interface of the world.
struct Random;

impl unstable::wasi::random::insecure_seed::Host for Random {
    fn insecure_seed(&mut self) -> wharf::Result<(u64, u64)> {
        Ok((1, 2))
    }
}

#[test]
fn one_interface_alone() {
    let mut linker = Linker::<Random>::new(&wharf::Engine::default());
    let add = unstable::wasi::random::insecure_seed::add_to_linker::<_, HasSelf<_>>;
    add(&mut linker, |random| random).unwrap();
    assert!(linker.is_defined("wasi:random/insecure-seed@0.2.0"));
    assert!(!linker.is_defined("wasi:random/random@0.2.0"));
    let error = add(&mut linker, |random| random)
        .expect_err("it is there already")
        .to_string();
    assert!(error.contains("insecure-seed"), "{error}");
}

/// The types of two bindings are the same where one takes them from the other.
#[test]
fn shared_types() {
    fn same(body: proxy::wasi::http::types::InputStream) -> command::wasi::io::streams::InputStream {
        body
    }
    let mut read = Vec::new();
    assert_eq!(same(Box::new(&b"abc"[..])).read_to_end(&mut read).unwrap(), 3);
}
