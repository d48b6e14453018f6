//! Outgoing bodies.

use wasi_conformance::{Case, check, check_traps, ok};
use wasip2::http::types::{ErrorCode, Fields, OutgoingBody, OutgoingRequest, OutgoingResponse};

pub const CASES: &[Case] = &[
    ("body-once", once),
    ("body-finish", finish),
    ("body-too-short", too_short),
    ("body-finish-while-written", finish_while_written),
];

fn once() {
    let request = OutgoingRequest::new(Fields::new());
    let body = ok!(request.body());
    check!(request.body().is_err());
    let stream = ok!(body.write());
    check!(body.write().is_err());
    check!(ok!(stream.check_write()) > 0);
    let response = OutgoingResponse::new(Fields::new());
    let _body = ok!(response.body());
    check!(response.body().is_err());
}

fn finish() {
    let request = OutgoingRequest::new(Fields::new());
    let body = ok!(request.body());
    drop(ok!(body.write()));
    ok!(OutgoingBody::finish(body, None));
    let response = OutgoingResponse::new(Fields::new());
    ok!(OutgoingBody::finish(ok!(response.body()), None));
}

fn too_short() {
    let headers = ok!(Fields::from_list(&[("content-length".to_string(), b"5".to_vec())]));
    let request = OutgoingRequest::new(headers);
    let body = ok!(request.body());
    // Nothing was written of the five bytes.
    check!(matches!(OutgoingBody::finish(body, None), Err(ErrorCode::HttpRequestBodySize(_))));
}

fn finish_while_written() {
    let request = OutgoingRequest::new(Fields::new());
    let body = ok!(request.body());
    let _stream = ok!(body.write());
    check_traps!(OutgoingBody::finish(body, None));
}
