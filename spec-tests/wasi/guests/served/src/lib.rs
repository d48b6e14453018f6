//! Cases of `wasi:http/incoming-handler`. The path of a request names the case. What a case finds wrong is the answer, with status 500;
//! whatever else has to come back is in the manifest.

mod requests;
mod responses;

use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::OutputStream;

/// What a case is about.
#[derive(Clone, Copy)]
pub enum Case {
    /// The request, which is looked at here.
    Request(fn(IncomingRequest) -> Result<(), String>),
    /// The answer, which is looked at where it comes to.
    Response(fn(IncomingRequest, ResponseOutparam)),
}

/// A condition that must hold.
#[macro_export]
macro_rules! check {
    ($cond:expr) => {
        if !$cond {
            return Err(format!("{}:{}: not true: {}", file!(), line!(), stringify!($cond)));
        }
    };
}

/// Two values that must be equal.
#[macro_export]
macro_rules! check_eq {
    ($got:expr, $expected:expr) => {
        match (&$got, &$expected) {
            (got, expected) => {
                if *got != *expected {
                    return Err(format!(
                        "{}:{}: {} is {got:?}, expected {expected:?}",
                        file!(),
                        line!(),
                        stringify!($got)
                    ));
                }
            }
        }
    };
}

/// The value of a result that must be one.
#[macro_export]
macro_rules! ok {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(format!("{}:{}: {} failed: {error:?}", file!(), line!(), stringify!($result))),
        }
    };
}

struct Served;

wasip2::http::proxy::export!(Served);

impl wasip2::exports::http::incoming_handler::Guest for Served {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let name = path.trim_start_matches('/').split(['?', '/']).next().unwrap_or_default();
        let cases = || requests::CASES.iter().chain(responses::CASES);
        if name == "--list" {
            let names: Vec<&str> = cases().map(|(name, _)| *name).collect();
            return text(out, 200, &names.join("\n"));
        }
        match cases().find(|(known, _)| *known == name) {
            Some((_, Case::Request(case))) => match case(request) {
                Ok(()) => text(out, 200, ""),
                Err(wrong) => text(out, 500, &wrong),
            },
            Some((_, Case::Response(case))) => case(request, out),
            None => text(out, 500, &format!("no such case: {name:?}")),
        }
    }
}

/// Answers with these headers. The body is still to be written.
pub fn begin(out: ResponseOutparam, status: u16, headers: &[(&str, &str)]) -> (OutgoingBody, OutputStream) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
    response.set_status_code(status).unwrap();
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    (body, stream)
}

/// Answers with a text.
pub fn text(out: ResponseOutparam, status: u16, content: &str) {
    let (body, stream) = begin(out, status, &[("content-type", "text/plain")]);
    for piece in content.as_bytes().chunks(4096) {
        let _ = stream.blocking_write_and_flush(piece);
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}
