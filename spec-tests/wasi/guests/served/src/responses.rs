//! `response-outparam`, `outgoing-response`, `outgoing-body`.

use wasip2::http::types::{ErrorCode, Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::StreamError;

use crate::{Case, begin};

pub const CASES: &[(&str, Case)] = &[
    ("response-head", Case::Response(head)),
    ("response-default", Case::Response(default)),
    ("response-length", Case::Response(length)),
    ("response-chunks", Case::Response(chunks)),
    ("response-large", Case::Response(large)),
    ("response-trailers", Case::Response(trailers)),
    ("response-head-request", Case::Response(length)),
    ("response-echo", Case::Response(echo)),
    ("response-error", Case::Response(error)),
    ("response-none", Case::Response(|_, _| {})),
    ("response-trap", Case::Response(|_, _| panic!("asked to"))),
    ("response-trap-late", Case::Response(trap_late)),
    ("response-short", Case::Response(short)),
    ("response-dropped-body", Case::Response(dropped_body)),
];

fn head(_: IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = begin(out, 418, &[("x-one", "1"), ("x-two", "2"), ("x-two", "3")]);
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

fn default(_: IncomingRequest, out: ResponseOutparam) {
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body();
    ResponseOutparam::set(out, Ok(response));
    // No stream was asked for.
    if let Ok(body) = body {
        let _ = OutgoingBody::finish(body, None);
    }
}

fn length(_: IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = begin(out, 200, &[("content-length", "5")]);
    let _ = stream.blocking_write_and_flush(b"hello");
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

fn chunks(_: IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = begin(out, 200, &[]);
    for part in ["one, ", "two, ", "three"] {
        let _ = stream.blocking_write_and_flush(part.as_bytes());
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

fn large(_: IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = begin(out, 200, &[]);
    for _ in 0..1024 {
        if stream.blocking_write_and_flush(&[b'x'; 4096]).is_err() {
            return;
        }
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

fn trailers(_: IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = begin(out, 200, &[("trailer", "x-sum")]);
    let _ = stream.blocking_write_and_flush(b"abc");
    drop(stream);
    let trailers = Fields::from_list(&[("x-sum".to_string(), b"123".to_vec())]);
    let _ = OutgoingBody::finish(body, trailers.ok());
}

/// Each part goes back before the next is read.
fn echo(request: IncomingRequest, out: ResponseOutparam) {
    let (sent, output) = begin(out, 200, &[]);
    let Ok(body) = request.consume() else { return };
    let Ok(input) = body.stream() else { return };
    loop {
        match input.blocking_read(1000) {
            Ok(bytes) => {
                if output.blocking_write_and_flush(&bytes).is_err() {
                    return;
                }
            }
            Err(StreamError::Closed) => break,
            Err(_) => return,
        }
    }
    drop(output);
    let _ = OutgoingBody::finish(sent, None);
}

fn error(_: IncomingRequest, out: ResponseOutparam) {
    ResponseOutparam::set(out, Err(ErrorCode::InternalError(Some("asked to".to_string()))));
}

fn trap_late(_: IncomingRequest, out: ResponseOutparam) {
    let (_body, stream) = begin(out, 200, &[]);
    let _ = stream.blocking_write_and_flush(b"some");
    panic!("asked to, late");
}

fn short(_: IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = begin(out, 200, &[("content-length", "5")]);
    let _ = stream.blocking_write_and_flush(b"hel");
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

fn dropped_body(_: IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = begin(out, 200, &[]);
    let _ = stream.blocking_write_and_flush(b"some");
    drop(stream);
    drop(body);
}
