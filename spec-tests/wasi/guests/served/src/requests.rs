//! `incoming-request`, `incoming-body`, `future-trailers`.

use wasip2::http::types::{HeaderError, IncomingBody, IncomingRequest, Method, Scheme};
use wasip2::io::streams::{InputStream, StreamError};

use crate::{Case, check, check_eq, ok};

pub const CASES: &[(&str, Case)] = &[
    ("request-head", Case::Request(head)),
    ("request-other-method", Case::Request(other_method)),
    ("request-headers", Case::Request(headers)),
    ("request-immutable", Case::Request(immutable)),
    ("request-length", Case::Request(length)),
    ("request-chunks", Case::Request(chunks)),
    ("request-empty", Case::Request(empty)),
    ("request-once", Case::Request(once)),
    ("request-trailers", Case::Request(trailers)),
    ("request-no-trailers", Case::Request(no_trailers)),
    ("request-trailers-immutable", Case::Request(trailers_immutable)),
    ("request-trailers-unread", Case::Request(trailers_unread)),
    ("request-finish-while-read", Case::Request(finish_while_read)),
    ("request-children", Case::Request(children)),
    ("request-unread", Case::Request(|_| Ok(()))),
];

fn head(request: IncomingRequest) -> Result<(), String> {
    check!(matches!(request.method(), Method::Delete));
    check_eq!(request.path_with_query().as_deref(), Some("/request-head/a%20b?c=d&e"));
    check!(matches!(request.scheme(), Some(Scheme::Http)));
    check_eq!(request.authority().as_deref(), Some("suite.test:81"));
    Ok(())
}

fn other_method(request: IncomingRequest) -> Result<(), String> {
    check!(matches!(request.method(), Method::Other(name) if name == "PROPFIND"));
    Ok(())
}

fn headers(request: IncomingRequest) -> Result<(), String> {
    let headers = request.headers();
    check_eq!(headers.get("x-one"), [b"1".to_vec()]);
    check_eq!(headers.get("X-TWO"), [b"2".to_vec(), b"3".to_vec()]);
    check_eq!(headers.get("x-empty"), [Vec::new()]);
    check!(headers.has("x-empty") && !headers.has("x-none"));
    check_eq!(headers.entries().iter().filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-")).count(), 4);
    Ok(())
}

fn immutable(request: IncomingRequest) -> Result<(), String> {
    let headers = request.headers();
    check!(matches!(headers.append("x-a", b"2"), Err(HeaderError::Immutable)));
    check!(matches!(headers.set("x-a", &[]), Err(HeaderError::Immutable)));
    check!(matches!(headers.delete("x-a"), Err(HeaderError::Immutable)));
    let copy = headers.clone();
    ok!(copy.append("x-a", b"2"));
    check_eq!((copy.get("x-a").len(), headers.get("x-a").len()), (2, 1));
    Ok(())
}

fn read(stream: &InputStream) -> Result<String, String> {
    let mut all = Vec::new();
    loop {
        match stream.blocking_read(1000) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return Ok(ok!(String::from_utf8(all))),
            Err(error) => return Err(format!("{error:?} after {all:?}")),
        }
    }
}

fn length(request: IncomingRequest) -> Result<(), String> {
    check_eq!(request.headers().get("content-length"), [b"5".to_vec()]);
    let body = ok!(request.consume());
    let stream = ok!(body.stream());
    check_eq!(read(&stream)?, "hello");
    // The end stays the end.
    check!(matches!(stream.read(1), Err(StreamError::Closed)));
    Ok(())
}

fn chunks(request: IncomingRequest) -> Result<(), String> {
    let body = ok!(request.consume());
    let stream = ok!(body.stream());
    check_eq!(read(&stream)?, "abcde");
    Ok(())
}

fn empty(request: IncomingRequest) -> Result<(), String> {
    let body = ok!(request.consume());
    let stream = ok!(body.stream());
    check_eq!(read(&stream)?, "");
    Ok(())
}

fn once(request: IncomingRequest) -> Result<(), String> {
    let body = ok!(request.consume());
    check!(request.consume().is_err());
    let stream = ok!(body.stream());
    check!(body.stream().is_err());
    check_eq!(read(&stream)?, "hello");
    Ok(())
}

fn trailers(request: IncomingRequest) -> Result<(), String> {
    let body = ok!(request.consume());
    {
        let stream = ok!(body.stream());
        check_eq!(read(&stream)?, "abc");
    }
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    let Some(Ok(Ok(Some(trailers)))) = future.get() else {
        return Err("no trailers".to_string());
    };
    check_eq!(trailers.get("x-sum"), [b"1".to_vec()]);
    check!(matches!(future.get(), Some(Err(()))));
    Ok(())
}

fn no_trailers(request: IncomingRequest) -> Result<(), String> {
    let body = ok!(request.consume());
    {
        let stream = ok!(body.stream());
        check_eq!(read(&stream)?, "abc");
    }
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    // None at all, or an empty set of them.
    check!(matches!(future.get(), Some(Ok(Ok(trailers))) if trailers.as_ref().is_none_or(|t| t.entries().is_empty())));
    Ok(())
}

fn trailers_immutable(request: IncomingRequest) -> Result<(), String> {
    let body = ok!(request.consume());
    {
        let stream = ok!(body.stream());
        check_eq!(read(&stream)?, "abc");
    }
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    let Some(Ok(Ok(Some(trailers)))) = future.get() else {
        return Err("no trailers".to_string());
    };
    check!(matches!(trailers.append("x-a", b"2"), Err(HeaderError::Immutable)));
    check!(matches!(trailers.set("x-sum", &[]), Err(HeaderError::Immutable)));
    check!(matches!(trailers.delete("x-sum"), Err(HeaderError::Immutable)));
    ok!(trailers.clone().delete("x-sum"));
    Ok(())
}

fn trailers_unread(request: IncomingRequest) -> Result<(), String> {
    let body = ok!(request.consume());
    {
        let stream = ok!(body.stream());
        check_eq!(ok!(stream.blocking_read(1)), b"a");
    }
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    check!(matches!(future.get(), Some(Ok(Ok(Some(trailers)))) if trailers.has("x-sum")));
    Ok(())
}

/// This has to trap, so that the answer is an error.
fn finish_while_read(request: IncomingRequest) -> Result<(), String> {
    let body = ok!(request.consume());
    let _stream = ok!(body.stream());
    drop(IncomingBody::finish(body));
    Ok(())
}

/// And so has this.
fn children(request: IncomingRequest) -> Result<(), String> {
    let headers = request.headers();
    drop(request);
    check!(headers.has("host"));
    Ok(())
}
