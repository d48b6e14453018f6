//! Answers HTTP requests. The path of the request says how: well, in pieces, late, or not at all.

mod checks;
mod message;

use message::{Reply, read_all, text};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::StreamError;

struct Hello;

wasip2::http::proxy::export!(Hello);

mod reset {
    wit_bindgen::generate!({
        inline: "
            package guest:http-hello;

            world resettable {
                /// Forgets what earlier requests left.
                export reset: func();
            }
        ",
    });
}

reset::export!(Hello with_types_in reset);

/// Requests that this instance has had since it was reset.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// What a request asked to be kept.
static KEPT: Mutex<String> = Mutex::new(String::new());

impl reset::Guest for Hello {
    fn reset() {
        let kept = std::mem::take(&mut *KEPT.lock().unwrap());
        match kept.as_str() {
            "trap" => panic!("asked to, while it was reset"),
            "loop" => loop {
                std::hint::black_box(COUNT.load(Ordering::Relaxed));
            },
            _ => COUNT.store(0, Ordering::Relaxed),
        }
    }
}

impl wasip2::exports::http::incoming_handler::Guest for Hello {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let number = |name: &str| -> u64 {
            let value = query
                .split('&')
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|v| v.parse().ok()).unwrap_or(0)
        };
        match path {
            "/" => text(out, 200, "hello\n"),
            "/count" => text(out, 200, &format!("{count}\n")),
            "/keep" => {
                // What was kept before comes back.
                let before = std::mem::replace(&mut *KEPT.lock().unwrap(), query.to_owned());
                text(out, 200, &format!("{before}\n"))
            }
            "/status" => text(out, number("code") as u16, &"x".repeat(number("bytes") as usize)),
            "/headers" => text(out, 200, &describe(&request)),
            "/env" => {
                let all: Vec<String> = std::env::vars().map(|(k, v)| format!("{k}={v}\n")).collect();
                text(out, 200, &all.concat())
            }
            "/file" => match std::fs::read_to_string("/data/file.txt") {
                Ok(content) => text(out, 200, &content),
                Err(e) => text(out, 404, &format!("{e}\n")),
            },
            "/write" => {
                let path = format!("/data/{}", number("file"));
                match std::fs::write(path, vec![b'x'; number("bytes") as usize]) {
                    Ok(()) => text(out, 200, "written\n"),
                    Err(e) => text(out, 507, &format!("{e}\n")),
                }
            }
            "/print" => {
                print!("out 1\nout 2");
                eprintln!("err 1");
                text(out, 200, "printed\n")
            }
            "/sleep" => {
                monotonic_clock::subscribe_duration(number("ms") * 1_000_000).block();
                text(out, 200, "slept\n")
            }
            "/echo" => echo(request, out),
            "/read" => match read_all(&request) {
                Ok(bytes) => text(out, 200, &format!("{}\n", bytes.len())),
                Err(e) => text(out, 400, &format!("{e:?}\n")),
            },
            "/stream" => stream(out, number("parts"), number("ms")),
            "/trailers" => trailers(request, out),
            "/length" => length(out, number("declared"), number("sent"), number("ms")),
            "/checks" => match checks::run() {
                Ok(()) => text(out, 200, "all fine\n"),
                Err(what) => text(out, 500, &format!("{what}\n")),
            },
            "/error" => ResponseOutparam::set(out, Err(ErrorCode::HttpResponseTimeout)),
            "/none" => {}
            "/trap" => panic!("asked to"),
            "/trap-late" => {
                let reply = Reply::begin(out, 200, &[]);
                let _ = reply.write(b"some");
                panic!("asked to, late")
            }
            "/trap-lent" => {
                // The stream lives while its body is finished.
                let response = OutgoingResponse::new(Fields::new());
                let Ok(body) = response.body() else { return };
                ResponseOutparam::set(out, Ok(response));
                let stream = body.write();
                let _ = OutgoingBody::finish(body, None);
                drop(stream);
            }
            "/break-off" => {
                let reply = Reply::begin(out, 200, &[]);
                let _ = reply.write(b"some");
            }
            "/loop" => loop {
                std::hint::black_box(COUNT.load(Ordering::Relaxed));
            },
            "/loop-late" => {
                let reply = Reply::begin(out, 200, &[]);
                let _ = reply.write(b"some");
                loop {
                    std::hint::black_box(COUNT.load(Ordering::Relaxed));
                }
            }
            "/allocate" => {
                let mut all: Vec<Vec<u8>> = Vec::new();
                loop {
                    all.push(std::hint::black_box(vec![1; 1 << 20]));
                }
            }
            _ => text(out, 404, "not found\n"),
        }
    }
}

/// The request, apart from its body.
fn describe(request: &IncomingRequest) -> String {
    let mut out = format!(
        "{:?} {:?} {:?} {:?}\n",
        request.method(),
        request.scheme(),
        request.authority(),
        request.path_with_query()
    );
    for (name, value) in request.headers().entries() {
        out += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    out
}

/// Sends back what comes, as it comes.
fn echo(request: IncomingRequest, out: ResponseOutparam) {
    let kind = request.headers().get("content-type");
    let headers: Vec<(&str, &[u8])> = kind.iter().map(|v| ("content-type", &v[..])).collect();
    let reply = Reply::begin(out, 200, &headers);
    let Ok(body) = request.consume() else { return };
    if let Ok(input) = body.stream() {
        loop {
            match input.blocking_read(16 << 10) {
                Ok(bytes) if reply.write(&bytes).is_ok() => {}
                Ok(_) => return,
                Err(StreamError::Closed) => break,
                // Breaks the answer off as well.
                Err(StreamError::LastOperationFailed(_)) => return,
            }
        }
    }
    let _ = reply.finish(None);
}

/// An answer in pieces, with pauses.
fn stream(out: ResponseOutparam, parts: u64, pause: u64) {
    let reply = Reply::begin(out, 200, &[("content-type", b"text/plain")]);
    for part in 0..parts {
        if reply.write(format!("part {part}\n").as_bytes()).is_err() {
            return;
        }
        if pause > 0 {
            monotonic_clock::subscribe_duration(pause * 1_000_000).block();
        }
    }
    let _ = reply.finish(None);
}

/// Reads a body with its trailers and answers with trailers of the same.
fn trailers(request: IncomingRequest, out: ResponseOutparam) {
    let Ok(body) = request.consume() else { return };
    let mut length = 0;
    if let Ok(input) = body.stream() {
        while let Ok(bytes) = input.blocking_read(16 << 10) {
            length += bytes.len();
        }
    }
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    let received = match future.get() {
        Some(Ok(Ok(Some(fields)))) => fields.entries(),
        Some(Ok(Ok(None))) => Vec::new(),
        other => return text(out, 500, &format!("{other:?}\n")),
    };
    let reply = Reply::begin(out, 200, &[("trailer", b"x-length, x-received")]);
    let _ = reply.write(b"body\n");
    let fields = Fields::new();
    let _ = fields.append("x-length", length.to_string().as_bytes());
    for (name, value) in received {
        let line = format!("{name}={}", String::from_utf8_lossy(&value));
        let _ = fields.append("x-received", line.as_bytes());
    }
    let _ = reply.finish(Some(fields));
}

/// Announces one length and sends another. Ends the body after a pause.
fn length(out: ResponseOutparam, declared: u64, sent: u64, pause: u64) {
    let value = declared.to_string();
    let reply = Reply::begin(out, 200, &[("content-length", value.as_bytes())]);
    let written = reply.write(&vec![b'x'; sent as usize]);
    if let Err(StreamError::LastOperationFailed(e)) = &written {
        eprintln!("write: {:?}", wasip2::http::types::http_error_code(e));
    }
    if pause > 0 {
        monotonic_clock::subscribe_duration(pause * 1_000_000).block();
    }
    eprintln!("finish: {:?}", reply.finish(None));
}

/// What [`checks`] needs as well.
pub(crate) fn response_of(status: u16) -> OutgoingResponse {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    response
}
