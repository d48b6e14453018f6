//! Generated from the WIT of WASI HTTP 0.2: host traits, types, and the way into a linker.
#![allow(
    missing_docs,
    reason = "the documentation is that of the WIT, which does not cover everything"
)]

wharf::component::bindgen!({
    path: "../../wit",
    world: "wharf:hosts/proxy",
    exports: { default: async },
    additional_derives: [PartialEq],
    trappable_error_type: {
        "wasi:http/types/error-code" => crate::HttpError,
        "wasi:http/types/header-error" => crate::HeaderError,
    },
    with: {
        "wasi:io": wharf_wasi::p2::bindings::wasi::io,
        "wasi:clocks": wharf_wasi::p2::bindings::wasi::clocks,
        "wasi:random": wharf_wasi::p2::bindings::wasi::random,
        "wasi:cli": wharf_wasi::p2::bindings::wasi::cli,
        "wasi:http/types/fields": crate::types::HostFields,
        "wasi:http/types/incoming-request": crate::types::HostIncomingRequest,
        "wasi:http/types/outgoing-request": crate::types::HostOutgoingRequest,
        "wasi:http/types/request-options": crate::types::HostRequestOptions,
        "wasi:http/types/response-outparam": crate::types::HostResponseOutparam,
        "wasi:http/types/incoming-response": crate::types::HostIncomingResponse,
        "wasi:http/types/incoming-body": crate::types::HostIncomingBody,
        "wasi:http/types/future-trailers": crate::types::HostFutureTrailers,
        "wasi:http/types/outgoing-response": crate::types::HostOutgoingResponse,
        "wasi:http/types/outgoing-body": crate::types::HostOutgoingBody,
        "wasi:http/types/future-incoming-response": crate::types::HostFutureIncomingResponse,
    },
});
