//! When TCP sockets are ready, and connections that end otherwise than in good order.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check, check_eq, check_err, ok};
use wasip2::io::streams::StreamError;

pub const CASES: &[Case] = &[
    ("tcp-ready", ready),
    ("tcp-connect-failed-start", failed_start),
    ("tcp-bind-foreign-address", foreign_address),
    ("tcp-reset", reset),
    ("tcp-accept-after-reset", accept_after_reset),
    ("tcp-listener-dropped", listener_dropped),
    ("tcp-shutdown-receive-discards", receive_discards),
    ("tcp-options-connected", options_connected),
    ("tcp-dropped-in-any-state", dropped),
];

const V4: Family = Family::Ipv4;

/// A port on which nobody listens.
fn nobody() -> IpSocketAddress {
    let socket = tcp(V4);
    ok!(bind(&socket, loopback(V4, 0)));
    ok!(socket.local_address())
}

fn ready() {
    // A socket that does nothing has nothing to wait for.
    let socket = tcp(V4);
    check!(socket.subscribe().ready());
    ok!(bind(&socket, loopback(V4, 0)));
    check!(socket.subscribe().ready());
    ok!(listen(&socket));
    check!(!socket.subscribe().ready());
    let client = tcp(V4);
    let streams = ok!(connect(&client, ok!(socket.local_address())));
    check!(client.subscribe().ready());
    // One that can be accepted is something.
    socket.subscribe().block();
    check!(socket.subscribe().ready());
    let (input, output, accepted) = ok!(accept(&socket));
    check!(accepted.subscribe().ready());
    check!(!socket.subscribe().ready());
    drop((streams, input, output));
    let closed = tcp(V4);
    check_err!(connect(&closed, nobody()), E::ConnectionRefused);
    check!(closed.subscribe().ready());
}

fn failed_start() {
    // An attempt that could not be begun was the only one.
    let listener = listener(V4);
    let socket = tcp(V4);
    check_err!(connect(&socket, loopback(V4, 0)), E::InvalidArgument);
    check_err!(connect(&socket, ok!(listener.local_address())), E::InvalidState);
    check_err!(bind(&socket, loopback(V4, 0)), E::InvalidState);
    check_err!(socket.start_listen(), E::InvalidState);
    check_err!(listener.accept(), E::WouldBlock);
}

fn foreign_address() {
    // An address for documentation, which no machine has.
    let socket = tcp(V4);
    check_err!(bind(&socket, v4(192, 0, 2, 1, 0)), E::AddressNotBindable | E::AccessDenied);
    ok!(bind(&socket, loopback(V4, 0)));
    if families().contains(&Family::Ipv6) {
        let socket = tcp(Family::Ipv6);
        let foreign = v6((0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 0);
        check_err!(bind(&socket, foreign), E::AddressNotBindable | E::AccessDenied);
    }
}

fn reset() {
    let Pair { client_in, client_out, server_in, server_out, client, server } = pair();
    ok!(client_out.blocking_write_and_flush(b"never read"));
    server_in.subscribe().block();
    // Who leaves with something unread resets the connection.
    drop((server_in, server_out));
    drop(server);
    check_err!(client_in.blocking_read(1), StreamError::Closed | StreamError::LastOperationFailed(_));
    check_err!(client_in.blocking_read(1), StreamError::Closed);
    check!(client_in.subscribe().ready());
    let mut ended = false;
    for _ in 0..1000 {
        ended = ended || client_out.blocking_write_and_flush(b"anyone?").is_err();
    }
    check!(ended);
    check_err!(client_out.check_write(), StreamError::Closed);
    drop((client_in, client_out));
    drop(client);
}

fn accept_after_reset() {
    let listener = listener(V4);
    for _ in 0..3 {
        let client = tcp(V4);
        let (input, output) = ok!(connect(&client, ok!(listener.local_address())));
        ok!(output.blocking_write_and_flush(b"gone"));
        drop((input, output));
        drop(client);
        // It may be seen that nobody is there any more, or later.
        match accept(&listener) {
            Ok((input, output, socket)) => {
                check_eq!(read_exactly(&input, 10), b"gone");
                drop((input, output));
                drop(socket);
            }
            Err(error) => check!(matches!(error, E::ConnectionAborted)),
        }
    }
    check!(listener.is_listening());
    check_err!(listener.accept(), E::WouldBlock);
    let client = tcp(V4);
    let streams = ok!(connect(&client, ok!(listener.local_address())));
    drop(ok!(accept(&listener)));
    drop(streams);
}

fn listener_dropped() {
    let listener = listener(V4);
    let address = ok!(listener.local_address());
    let client = tcp(V4);
    let (input, output) = ok!(connect(&client, address));
    // Nobody will accept it.
    drop(listener);
    check_err!(input.blocking_read(1), StreamError::Closed | StreamError::LastOperationFailed(_));
    drop((input, output));
    check_err!(connect(&tcp(V4), address), E::ConnectionRefused);
}

fn receive_discards() {
    let pair = pair();
    ok!(pair.server_out.blocking_write_and_flush(b"too late"));
    pair.client_in.subscribe().block();
    ok!(pair.client.shutdown(ShutdownType::Receive));
    // What came before is thrown away.
    check_err!(pair.client_in.read(100), StreamError::Closed);
    check_err!(pair.client_in.blocking_skip(1), StreamError::Closed);
    ok!(pair.client_out.blocking_write_and_flush(b"still here"));
    check_eq!(read_exactly(&pair.server_in, 10), b"still here");
}

fn options_connected() {
    let pair = pair();
    for socket in [&pair.client, &pair.server] {
        ok!(socket.set_keep_alive_enabled(true));
        check_eq!(ok!(socket.keep_alive_enabled()), true);
        ok!(socket.set_keep_alive_idle_time(42_000_000_000));
        check_eq!(ok!(socket.keep_alive_idle_time()), 42_000_000_000);
        ok!(socket.set_hop_limit(42));
        check_eq!(ok!(socket.hop_limit()), 42);
        check_err!(socket.set_hop_limit(0), E::InvalidArgument);
        ok!(socket.set_send_buffer_size(0x10000));
        check!(ok!(socket.send_buffer_size()) > 0);
    }
    ok!(pair.client_out.blocking_write_and_flush(b"x"));
    check_eq!(read_exactly(&pair.server_in, 1), b"x");
}

fn dropped() {
    let network = instance();
    drop(tcp(V4));
    let binding = tcp(V4);
    ok!(binding.start_bind(&network, loopback(V4, 0)));
    drop(binding);
    let listening = tcp(V4);
    ok!(bind(&listening, loopback(V4, 0)));
    ok!(listening.start_listen());
    drop(listening);
    let listener = listener(V4);
    let connecting = tcp(V4);
    ok!(connecting.start_connect(&network, ok!(listener.local_address())));
    drop(connecting);
    // The address is free again where a listener is gone.
    let address = ok!(listener.local_address());
    drop(listener);
    let again = tcp(V4);
    ok!(bind(&again, address));
    ok!(listen(&again));
}
