//! Sends one HTTP request, or the same one several times, and prints the answer.
//!
//! usage: http-client METHOD URL [--header NAME:VALUE] [--body TEXT] [--fill BYTES] [--trailer NAME:VALUE]
//! [--connect-ms N] [--first-byte-ms N] [--between-ms N] [--times N] [--quiet]

use std::process::ExitCode;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme, http_error_code,
};
use wasip2::io::streams::StreamError;

#[derive(Default)]
struct Options {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    trailers: Vec<(String, String)>,
    connect: Option<u64>,
    first_byte: Option<u64>,
    between: Option<u64>,
    times: u32,
    quiet: bool,
}

fn parse() -> Option<Options> {
    let mut args = std::env::args().skip(1);
    let mut options = Options {
        method: args.next()?,
        url: args.next()?,
        times: 1,
        ..Options::default()
    };
    let pair = |text: String| {
        let (name, value) = text.split_once(':')?;
        Some((name.to_owned(), value.to_owned()))
    };
    let nanos = |text: String| Some(text.parse::<u64>().ok()? * 1_000_000);
    while let Some(flag) = args.next() {
        match flag.as_str() {
            "--quiet" => options.quiet = true,
            "--header" => options.headers.push(pair(args.next()?)?),
            "--trailer" => options.trailers.push(pair(args.next()?)?),
            "--body" => options.body = Some(args.next()?.into_bytes()),
            "--fill" => options.body = Some(vec![b'x'; args.next()?.parse().ok()?]),
            "--connect-ms" => options.connect = nanos(args.next()?),
            "--first-byte-ms" => options.first_byte = nanos(args.next()?),
            "--between-ms" => options.between = nanos(args.next()?),
            "--times" => options.times = args.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(options)
}

/// What went wrong, for the last line.
enum Failure {
    Code(ErrorCode),
    Text(&'static str),
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Failure {
        Failure::Code(code)
    }
}

fn stream_failure(error: StreamError) -> Failure {
    match error {
        StreamError::LastOperationFailed(e) => match http_error_code(&e) {
            Some(code) => Failure::Code(code),
            None => Failure::Text("a stream error without code"),
        },
        StreamError::Closed => Failure::Text("closed"),
    }
}

fn fields(pairs: &[(String, String)]) -> Result<Fields, Failure> {
    let list: Vec<(String, Vec<u8>)> = pairs
        .iter()
        .map(|(n, v)| (n.clone(), v.clone().into_bytes()))
        .collect();
    Fields::from_list(&list).map_err(|_| Failure::Text("a header is refused"))
}

fn send(options: &Options) -> Result<IncomingResponse, Failure> {
    let (scheme, rest) = options.url.split_once("://").ok_or(Failure::Text("not a URL"))?;
    let at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let request = OutgoingRequest::new(fields(&options.headers)?);
    let method = match options.method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let refused = |()| Failure::Text("a part of the request is refused");
    request.set_method(&method).map_err(refused)?;
    request.set_scheme(Some(&scheme)).map_err(refused)?;
    request.set_authority(Some(authority)).map_err(refused)?;
    request.set_path_with_query(Some(path)).map_err(refused)?;
    let limits = RequestOptions::new();
    let _ = limits.set_connect_timeout(options.connect);
    let _ = limits.set_first_byte_timeout(options.first_byte);
    let _ = limits.set_between_bytes_timeout(options.between);

    let body = match &options.body {
        Some(bytes) => Some((request.body().map_err(refused)?, bytes)),
        None => None,
    };
    let future = outgoing_handler::handle(request, Some(limits))?;
    if let Some((body, bytes)) = body {
        let stream = body.write().map_err(refused)?;
        for part in bytes.chunks(4096) {
            match stream.blocking_write_and_flush(part) {
                Ok(()) => {}
                // The answer, or the error, says why.
                Err(StreamError::Closed) => break,
                Err(e) => return Err(stream_failure(e)),
            }
        }
        drop(stream);
        let trailers = match options.trailers.is_empty() {
            true => None,
            false => Some(fields(&options.trailers)?),
        };
        OutgoingBody::finish(body, trailers)?;
    }
    future.subscribe().block();
    match future.get() {
        Some(Ok(response)) => {
            if !matches!(future.get(), Some(Err(()))) {
                return Err(Failure::Text("the response comes twice"));
            }
            Ok(response?)
        }
        _ => Err(Failure::Text("no response")),
    }
}

fn show(response: &IncomingResponse, quiet: bool) -> Result<(), Failure> {
    println!("status: {}", response.status());
    if !quiet {
        for (name, value) in response.headers().entries() {
            println!("header: {name}: {}", String::from_utf8_lossy(&value));
        }
    }
    let body = response.consume().map_err(|()| Failure::Text("no body"))?;
    let stream = body.stream().map_err(|()| Failure::Text("no stream"))?;
    let mut length = 0;
    let mut start = Vec::new();
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(bytes) => {
                length += bytes.len();
                if start.len() < 200 {
                    start.extend_from_slice(&bytes);
                }
            }
            Err(StreamError::Closed) => break,
            Err(e) => return Err(stream_failure(e)),
        }
    }
    drop(stream);
    start.truncate(200);
    println!("body: {length} bytes: {}", String::from_utf8_lossy(&start).escape_debug());
    let trailers = IncomingBody::finish(body);
    trailers.subscribe().block();
    match trailers.get() {
        Some(Ok(Ok(Some(fields)))) => {
            for (name, value) in fields.entries() {
                println!("trailer: {name}: {}", String::from_utf8_lossy(&value));
            }
        }
        Some(Ok(Ok(None))) => {}
        Some(Ok(Err(code))) => return Err(code.into()),
        _ => return Err(Failure::Text("no trailers")),
    }
    Ok(())
}

fn main() -> ExitCode {
    let Some(options) = parse() else {
        println!("usage: http-client METHOD URL [OPTION]...");
        return ExitCode::FAILURE;
    };
    for _ in 0..options.times {
        match send(&options).and_then(|response| show(&response, options.quiet)) {
            Ok(()) => {}
            Err(Failure::Code(code)) => {
                println!("error: {code:?}");
                return ExitCode::FAILURE;
            }
            Err(Failure::Text(text)) => {
                println!("failure: {text}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
