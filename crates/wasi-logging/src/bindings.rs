//! Generated from the WIT of `wasi:logging`: host traits, types, and the way into a linker.
#![allow(
    missing_docs,
    reason = "the documentation is that of the WIT, which does not cover everything"
)]

wharf::component::bindgen!({ path: "../../wit/deps/logging", world: "imports" });

/// The same interface as it was before it had a version.
pub mod unversioned {
    wharf::component::bindgen!({
        inline: "
            package wasi:logging;

            interface logging {
                enum level { trace, debug, info, warn, error, critical }
                log: func(level: level, context: string, message: string);
            }

            world imports {
                import logging;
            }
        ",
    });
}
