//! Generated from the WIT of `wasi:config`: host traits, types, and the way into a linker.
#![allow(
    missing_docs,
    reason = "the documentation is that of the WIT, which does not cover everything"
)]

wharf::component::bindgen!({
    path: "../../wit/deps/config",
    world: "imports",
    imports: { default: async },
});

/// The same interface under the version that it had before.
pub mod draft {
    wharf::component::bindgen!({
        inline: "
            package wasi:config@0.2.0-draft;

            interface store {
                variant error { upstream(string), io(string) }
                get: func(key: string) -> result<option<string>, error>;
                get-all: func() -> result<list<tuple<string, string>>, error>;
            }

            world imports {
                import store;
            }
        ",
        imports: { default: async },
    });
}
