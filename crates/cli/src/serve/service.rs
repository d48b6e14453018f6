//! From a request to an answer.

use std::net::SocketAddr;
use std::sync::Arc;

use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};
use wharf_wasi_http::{ErrorCode, response_channel};

use super::Server;
use super::activity::Busy;
use super::answer_body::{ResponseBody, Wanted};
use super::body::{Fault, RequestBody};
use super::guest::{Job, Outcome, Running};
use super::metrics::count;
use super::record::{End, Record};

/// Answers a request, in any case.
pub async fn answer(
    server: Arc<Server>,
    remote: SocketAddr,
    request: Request<Incoming>,
    busy: &mut Busy,
) -> Response<ResponseBody> {
    let mut record = Record::new(&server, remote, &request);
    record.cut = busy.cut();
    let version = request.version();
    let wanted = wanted(version, request.method() == Method::HEAD);
    let refuse = |record, status| reply(record, status, End::Refused, wanted);
    let failed = |record, status| reply(record, status, End::Answered, wanted);
    if busy.is_refused() {
        return refuse(record, StatusCode::SERVICE_UNAVAILABLE);
    }
    if let Err(status) = check(&request) {
        return refuse(record, status);
    }
    let limit = server.args.max_body as u64;
    if request.body().size_hint().lower() > limit {
        return refuse(record, StatusCode::PAYLOAD_TOO_LARGE);
    }
    let deadline = Instant::now() + server.grants.timeout;
    let permit = match timeout_at(deadline, server.admission.enter()).await {
        Ok(Some(permit)) => permit,
        _ => {
            count(&server.metrics.rejected);
            return refuse(record, StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    let state = record.body.clone();
    let mut request =
        request.map(|body| RequestBody::new(body, limit, server.args.body_timeout, state.clone()));
    record.trace.apply(request.headers_mut());
    let (sender, receiver) = response_channel();
    busy.guest();
    let mut guest = Running::start(
        &server,
        Job {
            request,
            response: sender,
            trace_id: record.trace.trace_id.clone(),
            deadline,
            permit,
        },
    );
    // Without an answer the guest's end says why.
    let answer = match receiver.await {
        Ok(answer) => answer,
        Err(_) => {
            return match (guest.outcome().await, state.fault()) {
                (_, Some(fault)) => refuse(record, fault_status(fault)),
                (Outcome::TimedOut, None) => failed(record, StatusCode::GATEWAY_TIMEOUT),
                (Outcome::Failed | Outcome::Returned, None) => {
                    failed(record, StatusCode::INTERNAL_SERVER_ERROR)
                }
            };
        }
    };
    match (answer, state.fault()) {
        // Whatever the guest made of it.
        (_, Some(fault)) => refuse(record, fault_status(fault)),
        (Err(code), None) => {
            let mut record = record;
            record.fail(format!("{code:?}"));
            // It may have more to do than to say that.
            guest.detach();
            failed(record, error_status(&code))
        }
        (Ok(response), None) => {
            let mut record = record;
            record.status = response.status().as_u16();
            let wanted = match response.status() {
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => self::wanted(version, true),
                _ => wanted,
            };
            response.map(|body| ResponseBody::of_guest(body, record, guest, wanted))
        }
    }
}

/// What becomes of the body of an answer, if it may have `none` or not.
fn wanted(version: Version, none: bool) -> Wanted {
    match (none, version) {
        (false, _) => Wanted::Yes,
        (true, Version::HTTP_2) => Wanted::NotEvenAsked,
        (true, _) => Wanted::No,
    }
}

/// What is wrong with the head of a request, beyond what hyper refuses.
fn check<B>(request: &Request<B>) -> Result<(), StatusCode> {
    if request.method() == Method::CONNECT {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let uri = request.uri();
    // The server is no proxy, but who asks as if it were one may. A target without path is one for CONNECT only, and `*` for OPTIONS.
    let path = uri.path_and_query().map(|target| target.as_str());
    if path.is_none_or(|path| path == "*" && request.method() != Method::OPTIONS)
        || uri
            .scheme_str()
            .is_some_and(|scheme| scheme != "http" && scheme != "https")
        || uri
            .authority()
            .is_some_and(|authority| !is_authority(authority.as_str()))
    {
        return Err(StatusCode::BAD_REQUEST);
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        // Two servers may read it in two ways.
        (_, Some(_)) => Err(StatusCode::BAD_REQUEST),
        (None, None) if request.version() == Version::HTTP_11 => Err(StatusCode::BAD_REQUEST),
        (Some(host), None) if !is_host(host) => Err(StatusCode::BAD_REQUEST),
        // In HTTP/2 both have to say the same; in HTTP/1.1 a target with an authority counts alone.
        (Some(host), None) if request.version() == Version::HTTP_2 => match uri.authority() {
            Some(authority)
                if !authority
                    .as_str()
                    .as_bytes()
                    .eq_ignore_ascii_case(host.as_bytes()) =>
            {
                Err(StatusCode::BAD_REQUEST)
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn is_host(host: &HeaderValue) -> bool {
    // Empty for targets that have no authority.
    host.is_empty() || host.to_str().is_ok_and(is_authority)
}

/// Whether this is a host, and a port or not, and no user's name.
fn is_authority(text: &str) -> bool {
    let Ok(parsed) = text.parse::<Authority>() else {
        return false;
    };
    let rest = text.strip_prefix(parsed.host()).unwrap_or("@");
    let port_is_one = match rest.strip_prefix(':') {
        Some(port) => port.is_empty() || parsed.port_u16().is_some(),
        None => rest.is_empty(),
    };
    !parsed.host().is_empty() && port_is_one
}

fn fault_status(fault: Fault) -> StatusCode {
    match fault {
        Fault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Fault::Malformed => StatusCode::BAD_REQUEST,
    }
}

/// The status for an error that a guest gives as its answer.
fn error_status(code: &ErrorCode) -> StatusCode {
    match code {
        ErrorCode::HttpRequestLengthRequired => StatusCode::LENGTH_REQUIRED,
        ErrorCode::HttpRequestBodySize(_) => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::HttpRequestUriTooLong => StatusCode::URI_TOO_LONG,
        ErrorCode::HttpRequestMethodInvalid | ErrorCode::HttpRequestUriInvalid => StatusCode::BAD_REQUEST,
        ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTerminated
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_)
        | ErrorCode::HttpResponseIncomplete
        | ErrorCode::HttpProtocolError => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An answer of the server itself.
fn reply(mut record: Record, status: StatusCode, end: End, wanted: Wanted) -> Response<ResponseBody> {
    record.status = status.as_u16();
    record.end(end);
    let text = format!("{status}\n");
    let mut response = Response::new(ResponseBody::text(text, record, wanted));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // The rest of the request is not read.
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT | StatusCode::BAD_REQUEST => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_that_are_refused() {
        let request = |hosts: &[&str]| {
            let mut builder = Request::get("/");
            for host in hosts {
                builder = builder.header("host", *host);
            }
            check(&builder.body(()).unwrap())
        };
        assert_eq!(request(&["example.org:80"]), Ok(()));
        assert_eq!(request(&["[::1]"]), Ok(()));
        assert_eq!(request(&[]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(request(&["a", "b"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(request(&["a b"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(request(&["a/b"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(request(&["u@a"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(request(&["a:70000"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(request(&[":80"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(request(&["a:"]), Ok(()));
        let target = |method: &str, target: &str| {
            let request = Request::builder().method(method).uri(target).header("host", "a");
            check(&request.body(()).unwrap())
        };
        for fine in ["http://b/", "https://[::1]:80/x?y", "http://b"] {
            assert_eq!(target("GET", fine), Ok(()), "{fine}");
        }
        for bad in ["http://u:p@b/", "ftp://b/", "b:80", "*", "http://b:99999/"] {
            assert_eq!(target("GET", bad), Err(StatusCode::BAD_REQUEST), "{bad}");
        }
        assert_eq!(target("OPTIONS", "*"), Ok(()));
        let connect = Request::builder().method("CONNECT").uri("a:1").body(()).unwrap();
        assert_eq!(check(&connect), Err(StatusCode::METHOD_NOT_ALLOWED));
    }
}
