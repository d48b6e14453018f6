//! Answers HTTP requests with what it is granted: a bucket of `wasi:keyvalue`, connections of `wasi:sockets`, requests of its own.
//! It wants to be told of changes in its buckets, too.

use std::io::Read;
use std::net::TcpStream;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, IncomingResponse, OutgoingBody, OutgoingRequest,
    OutgoingResponse, ResponseOutparam, Scheme, http_error_code,
};
use wasip2::io::streams::StreamError;

mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package guest:cloud-http;

            world handler {
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                export wasi:keyvalue/watcher@0.2.0-draft2;
            }
        ",
        generate_all,
    });
}

use bindings::exports::wasi::keyvalue::watcher;
use bindings::wasi::keyvalue::{atomics, store};

struct Cloud;

bindings::export!(Cloud with_types_in bindings);

wasip2::http::proxy::export!(Cloud);

impl wasip2::exports::http::incoming_handler::Guest for Cloud {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, argument) = target.split_once('?').unwrap_or((&target, ""));
        let result = match path {
            "/count" => count(argument),
            "/get" => get(argument),
            "/set" => set(argument),
            "/delete" => delete(argument),
            "/tcp" => tcp(argument),
            "/fetch" => fetch(argument),
            "/fetch-all" => fetch_all(argument),
            _ => return answer(out, 404, "not found\n"),
        };
        match result {
            Ok(text) => answer(out, 200, &text),
            Err(error) => answer(out, 502, &format!("{error}\n")),
        }
    }
}

/// Counts the calls in a bucket.
fn count(bucket: &str) -> Result<String, String> {
    let bucket = store::open(bucket).map_err(|e| format!("{e:?}"))?;
    let count = atomics::increment(&bucket, "count", 1).map_err(|e| format!("{e:?}"))?;
    Ok(format!("{count}\n"))
}

/// The bucket and the key of an argument.
fn entry(argument: &str) -> Result<(store::Bucket, &str), String> {
    let (bucket, key) = argument.split_once('/').ok_or("expected BUCKET/KEY")?;
    Ok((store::open(bucket).map_err(|e| format!("{e:?}"))?, key))
}

fn get(argument: &str) -> Result<String, String> {
    let (bucket, key) = entry(argument)?;
    let value = bucket.get(key).map_err(|e| format!("{e:?}"))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&value).into_owned())
}

/// Sets a key to its own name.
fn set(argument: &str) -> Result<String, String> {
    let (bucket, key) = entry(argument)?;
    bucket.set(key, key.as_bytes()).map_err(|e| format!("{e:?}"))?;
    Ok(String::new())
}

fn delete(argument: &str) -> Result<String, String> {
    let (bucket, key) = entry(argument)?;
    bucket.delete(key).map_err(|e| format!("{e:?}"))?;
    Ok(String::new())
}

/// Takes down what it was told: the value that was set, or the key that was removed.
impl watcher::Guest for Cloud {
    fn on_set(bucket: watcher::Bucket, key: String, value: Vec<u8>) {
        if value == b"13" {
            panic!("no value for a watcher");
        }
        let mut all: Vec<Vec<u8>> = Vec::new();
        while key == "loop" || key == "hog" {
            if key == "hog" {
                all.push(vec![1; 1 << 20]);
            }
            std::hint::black_box(&all);
        }
        bucket.set(&format!("set-{key}"), &value).expect("the bucket takes it");
    }

    fn on_delete(bucket: watcher::Bucket, key: String) {
        bucket.set("deleted", key.as_bytes()).expect("the bucket takes it");
    }
}

/// What a server says to whoever connects.
fn tcp(address: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(|e| e.kind().to_string())?;
    let mut text = String::new();
    stream.read_to_string(&mut text).map_err(|e| e.kind().to_string())?;
    Ok(text)
}

/// The status of the answer to a request.
fn fetch(authority: &str) -> Result<String, String> {
    let response = send(authority).map_err(|code| format!("{code:?}"))?;
    Ok(format!("{}\n", response.status()))
}

/// The whole answer to a request: its status, how its body is encoded and how long it is, and how many trailers there are.
fn fetch_all(authority: &str) -> Result<String, String> {
    let read = || -> Result<String, ErrorCode> {
        let response = send(authority)?;
        let internal = |()| ErrorCode::InternalError(None);
        let encodings = response.headers().get("content-encoding");
        let encoding = String::from_utf8_lossy(&encodings.concat()).into_owned();
        let body = response.consume().map_err(internal)?;
        let stream = body.stream().map_err(internal)?;
        let mut length = 0;
        loop {
            match stream.blocking_read(64 << 10) {
                Ok(bytes) => length += bytes.len(),
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(e)) => {
                    return Err(http_error_code(&e).unwrap_or(ErrorCode::InternalError(None)));
                }
            }
        }
        drop(stream);
        let future = IncomingBody::finish(body);
        future.subscribe().block();
        let trailers = match future.get() {
            Some(Ok(trailers)) => trailers?.map_or(0, |fields| fields.entries().len()),
            _ => return Err(ErrorCode::InternalError(None)),
        };
        Ok(format!("{} {encoding} {length} {trailers}\n", response.status()))
    };
    read().map_err(|code| format!("{code:?}"))
}

/// Asks for `/`.
fn send(authority: &str) -> Result<IncomingResponse, ErrorCode> {
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some("/")).map_err(invalid)?;
    let future = outgoing_handler::handle(request, None)?;
    future.subscribe().block();
    match future.get() {
        Some(Ok(response)) => response,
        _ => Err(ErrorCode::InternalError(None)),
    }
}

fn answer(out: ResponseOutparam, status: u16, text: &str) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    let body = response.body().expect("the first call");
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().expect("the first call");
    let _ = stream.blocking_write_and_flush(text.as_bytes());
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}
