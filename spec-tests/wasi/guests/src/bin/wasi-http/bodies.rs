//! Outgoing bodies.

use wasi_conformance::{Case, check, check_traps, ok};
use wasip2::http::types::{ErrorCode, Fields, OutgoingBody, OutgoingRequest, OutgoingResponse};

pub const CASES: &[Case] = &[
    ("body-once", once),
    ("body-finish", finish),
    ("body-too-short", too_short),
    ("body-too-long", too_long),
    ("body-finish-while-written", finish_while_written),
    ("body-drop-while-written", drop_while_written),
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

fn too_long() {
    for response in [false, true] {
        let headers = ok!(Fields::from_list(&[("content-length".to_string(), b"3".to_vec())]));
        let (body, _owner): (_, Box<dyn std::any::Any>) = if response {
            let response = OutgoingResponse::new(headers);
            (ok!(response.body()), Box::new(response))
        } else {
            let request = OutgoingRequest::new(headers);
            (ok!(request.body()), Box::new(request))
        };
        let mut refused = false;
        {
            let stream = ok!(body.write());
            // More than three bytes are an error of writing or of finishing.
            if stream.check_write().is_ok_and(|room| room >= 10) {
                refused = stream.write(b"0123456789").is_err();
            }
        }
        let finished = OutgoingBody::finish(body, None);
        check!(refused || finished.is_err());
    }
}

fn drop_while_written() {
    let request = OutgoingRequest::new(Fields::new());
    let body = ok!(request.body());
    let _stream = ok!(body.write());
    check_traps!(drop(body));
}

fn finish_while_written() {
    let request = OutgoingRequest::new(Fields::new());
    let body = ok!(request.body());
    let _stream = ok!(body.write());
    check_traps!(OutgoingBody::finish(body, None));
}
