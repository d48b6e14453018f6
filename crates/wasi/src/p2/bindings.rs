//! Generated from the WIT of WASI 0.2: host traits, types, and the way into a linker.
#![allow(
    missing_docs,
    reason = "the documentation is that of the WIT, which does not cover everything"
)]

wharf::component::bindgen!({
    path: "../../wit",
    world: "wharf:hosts/command",
    features: ["network-error-code"],
    imports: {
        "wasi:io/poll/poll": async,
        "wasi:io/poll/[method]pollable.block": async,
        "wasi:io/streams/[method]input-stream.blocking-read": async,
        "wasi:io/streams/[method]input-stream.blocking-skip": async,
        "wasi:io/streams/[method]output-stream.blocking-write-and-flush": async,
        "wasi:io/streams/[method]output-stream.blocking-flush": async,
        "wasi:io/streams/[method]output-stream.blocking-write-zeroes-and-flush": async,
        "wasi:io/streams/[method]output-stream.blocking-splice": async,
        "wasi:filesystem/types/[method]descriptor.sync-data": async,
        "wasi:filesystem/types/[method]descriptor.sync": async,
        "wasi:sockets/tcp/[method]tcp-socket.start-bind": async,
        "wasi:sockets/tcp/[method]tcp-socket.start-connect": async,
        "wasi:sockets/udp/[method]udp-socket.start-bind": async,
        "wasi:sockets/udp/[method]udp-socket.stream": async,
        "wasi:sockets/udp/[method]outgoing-datagram-stream.send": async,
    },
    trappable_error_type: {
        "wasi:io/streams/stream-error" => crate::StreamError,
        "wasi:filesystem/types/error-code" => crate::p2::FsError,
        "wasi:sockets/network/error-code" => crate::p2::SocketError,
    },
    with: {
        "wasi:io/error/error": wharf::Error,
        "wasi:io/poll/pollable": crate::p2::DynPollable,
        "wasi:io/streams/input-stream": crate::DynInputStream,
        "wasi:io/streams/output-stream": crate::DynOutputStream,
        "wasi:cli/terminal-input/terminal-input": crate::p2::TerminalInput,
        "wasi:cli/terminal-output/terminal-output": crate::p2::TerminalOutput,
        "wasi:filesystem/types/descriptor": crate::Descriptor,
        "wasi:filesystem/types/directory-entry-stream": crate::DirEntries,
        "wasi:sockets/network/network": crate::p2::Network,
        "wasi:sockets/tcp/tcp-socket": crate::sockets::TcpSocket,
        "wasi:sockets/udp/udp-socket": crate::sockets::UdpSocket,
        "wasi:sockets/udp/incoming-datagram-stream": crate::sockets::IncomingDatagramStream,
        "wasi:sockets/udp/outgoing-datagram-stream": crate::sockets::OutgoingDatagramStream,
        "wasi:sockets/ip-name-lookup/resolve-address-stream": crate::sockets::ResolveAddressStream,
    },
});

/// The world [`Command`] with an `async` call of its export, for [`AsyncCommand`](asynchronous::AsyncCommand).
pub mod asynchronous {
    wharf::component::bindgen!({
        path: "../../wit",
        inline: "
            package wharf:asynchronous;
            world async-command { export wasi:cli/run@0.2.12; }
        ",
        exports: { default: async },
    });
}
