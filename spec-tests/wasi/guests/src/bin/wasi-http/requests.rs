//! Requests, their options, responses, and the handler where nothing can be reached.

use wasi_conformance::{Case, check, check_eq, ok};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, Method, OutgoingRequest, OutgoingResponse, RequestOptions, Scheme};

pub const CASES: &[Case] = &[
    ("request-defaults", defaults),
    ("request-method", method),
    ("request-path", path),
    ("request-scheme", scheme),
    ("request-authority", authority),
    ("request-options", options),
    ("response-status", status),
    ("handle-fails", fails),
];

fn request() -> OutgoingRequest {
    OutgoingRequest::new(Fields::new())
}

fn defaults() {
    let request = request();
    check!(matches!(request.method(), Method::Get));
    check!(request.path_with_query().is_none());
    check!(request.scheme().is_none());
    check!(request.authority().is_none());
    check!(request.headers().entries().is_empty());
}

fn method() {
    let request = request();
    for method in [
        Method::Get, Method::Head, Method::Post, Method::Put, Method::Delete, Method::Connect, Method::Options, Method::Trace,
        Method::Patch,
    ] {
        check!(request.set_method(&method).is_ok());
        check_eq!(format!("{:?}", request.method()), format!("{method:?}"));
    }
    check!(request.set_method(&Method::Other("PROPFIND".to_string())).is_ok());
    check!(matches!(request.method(), Method::Other(name) if name == "PROPFIND"));
    for bad in ["", "a b", "GET\n", "größe"] {
        check!(request.set_method(&Method::Other(bad.to_string())).is_err());
    }
    check!(matches!(request.method(), Method::Other(name) if name == "PROPFIND"));
}

fn path() {
    let request = request();
    for path in ["/", "/a/b?c=d&e", "/%20", "/a//b/../c"] {
        check!(request.set_path_with_query(Some(path)).is_ok());
        check_eq!(request.path_with_query().as_deref(), Some(path));
    }
    for bad in ["/a b", "/\n", "/a\0"] {
        check!(request.set_path_with_query(Some(bad)).is_err());
    }
    check_eq!(request.path_with_query().as_deref(), Some("/a//b/../c"));
    check!(request.set_path_with_query(None).is_ok());
    check!(request.path_with_query().is_none());
}

fn scheme() {
    let request = request();
    check!(request.set_scheme(Some(&Scheme::Https)).is_ok());
    check!(matches!(request.scheme(), Some(Scheme::Https)));
    check!(request.set_scheme(Some(&Scheme::Other("ftp".to_string()))).is_ok());
    check!(matches!(request.scheme(), Some(Scheme::Other(name)) if name == "ftp"));
    for bad in ["", "a b", "1a", "a:b", "a/"] {
        check!(request.set_scheme(Some(&Scheme::Other(bad.to_string()))).is_err());
    }
    check!(request.set_scheme(None).is_ok());
    check!(request.scheme().is_none());
}

fn authority() {
    let request = request();
    for authority in ["example.org", "example.org:8080", "127.0.0.1:80", "[::1]:80"] {
        check!(request.set_authority(Some(authority)).is_ok());
        check_eq!(request.authority().as_deref(), Some(authority));
    }
    for bad in ["a b", "a/b", "example.org:x", "[::1"] {
        check!(request.set_authority(Some(bad)).is_err());
    }
    check!(request.set_authority(None).is_ok());
    check!(request.authority().is_none());
}

fn options() {
    let options = RequestOptions::new();
    check!(options.connect_timeout().is_none());
    check!(options.first_byte_timeout().is_none());
    check!(options.between_bytes_timeout().is_none());
    // An option may not be supported, but what is taken is kept.
    if options.set_connect_timeout(Some(1_500_000_000)).is_ok() {
        check_eq!(options.connect_timeout(), Some(1_500_000_000));
        check!(options.set_connect_timeout(None).is_ok());
        check!(options.connect_timeout().is_none());
    }
    if options.set_first_byte_timeout(Some(2_500_000_000)).is_ok() {
        check_eq!(options.first_byte_timeout(), Some(2_500_000_000));
    }
    if options.set_between_bytes_timeout(Some(3_500_000_000)).is_ok() {
        check_eq!(options.between_bytes_timeout(), Some(3_500_000_000));
    }
}

fn status() {
    let response = OutgoingResponse::new(Fields::new());
    check_eq!(response.status_code(), 200);
    for code in [100, 204, 404, 599] {
        check!(response.set_status_code(code).is_ok());
        check_eq!(response.status_code(), code);
    }
    for bad in [0, 99, 1000, u16::MAX] {
        check!(response.set_status_code(bad).is_err());
    }
    check_eq!(response.status_code(), 599);
}

fn fails() {
    let request = request();
    check!(request.set_scheme(Some(&Scheme::Http)).is_ok());
    check!(request.set_authority(Some("127.0.0.1:9")).is_ok());
    check!(request.set_path_with_query(Some("/")).is_ok());
    let error = match handle(request, None) {
        Err(error) => error,
        Ok(future) => {
            future.subscribe().block();
            let Some(Ok(Err(error))) = future.get() else {
                wasi_conformance::fail(file!(), line!(), "no error where nobody is");
            };
            // It can be taken once.
            check!(matches!(future.get(), Some(Err(()))));
            error
        }
    };
    check!(!format!("{error:?}").is_empty());
    // One that is no request at all is refused, too.
    let empty = OutgoingRequest::new(Fields::new());
    if let Ok(future) = handle(empty, None) {
        future.subscribe().block();
        check!(matches!(ok!(future.get().ok_or("not ready")), Ok(Err(_))));
    }
}
