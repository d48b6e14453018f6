//! Generated from the WIT of `wasi:keyvalue`: host traits, types, and the way into a linker.
#![allow(
    missing_docs,
    reason = "the documentation is that of the WIT, which does not cover everything"
)]

wharf::component::bindgen!({
    path: "../../wit",
    world: "wasi:keyvalue/watch-service@0.2.0-draft2",
    imports: { default: async },
    exports: { default: async },
    with: {
        "wasi:keyvalue/store/bucket": crate::BucketHandle,
        "wasi:keyvalue/atomics/cas": crate::CasHandle,
    },
});
