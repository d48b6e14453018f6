//! Requests by a guest.

mod common;

use bytes::Bytes;
use common::frames::Frames;
use common::{State, allow, client, client_sync, describe, listen, serve1, serve2};
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wharf_wasi::async_trait;
use wharf_wasi_http::{
    HttpClient, HttpPolicy, HyperOutgoingBody, OutgoingRequestConfig, Resolve, WasiHttpCtx, WasiHttpHooks,
    WasiHttpView,
};

fn granted(address: SocketAddr) -> impl FnOnce(&mut State) {
    let client = allow(&[&format!("http://{address}")]);
    |state| state.http = WasiHttpCtx::with_client(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_may_be_sent_by_default() {
    let out = client(&["GET", "http://127.0.0.1:1/"], |_| {}).await;
    assert_eq!(out, "error: ErrorCode::HttpRequestDenied\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_rule_names_may_be_reached() {
    let address = listen(|stream| serve1(stream, describe)).await;
    let other = format!("http://127.0.0.1:{}/", address.port().wrapping_add(1).max(1));
    let out = client(&["GET", &other], granted(address)).await;
    assert_eq!(out, "error: ErrorCode::HttpRequestDenied\n");
    let named = format!("http://localhost:{}/", address.port());
    let out = client(&["GET", &named], granted(address)).await;
    assert_eq!(out, "error: ErrorCode::HttpRequestDenied\n");
    let tls = format!("https://{address}/");
    let out = client(&["GET", &tls], granted(address)).await;
    assert_eq!(out, "error: ErrorCode::HttpRequestDenied\n");
    let out = client(&["GET", &named, "--quiet"], |state| {
        let rule = format!("http://localhost:{}", address.port());
        state.http = WasiHttpCtx::with_client(allow(&[&rule]));
    })
    .await;
    assert!(out.starts_with("status: 200\n"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_arrive_as_they_were_made() {
    let address = listen(|stream| serve1(stream, describe)).await;
    let url = format!("http://{address}/a?b=c");
    let out = client(
        &["GET", &url, "--header", "x-test:1", "--quiet"],
        granted(address),
    )
    .await;
    let expected = format!("GET /a?b=c {address} 1 0");
    assert!(
        out.contains(&format!("{} bytes: {expected}\n", expected.len())),
        "{out}"
    );
    let url = format!("http://{address}");
    let args = ["POST", &url, "--fill", "300000", "--quiet"];
    let out = client(&args, granted(address)).await;
    assert!(out.contains(&format!("POST / {address} - 300000")), "{out}");
    let args = [
        "POST",
        &url,
        "--body",
        "abc",
        "--header",
        "content-length:3",
        "--quiet",
    ];
    let out = client(&args, granted(address)).await;
    assert!(out.contains(&format!("POST / {address} - 3")), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_where_asked() {
    let address = listen(|stream| serve2(stream, describe)).await;
    let url = format!("http://{address}/x");
    let args = [
        "POST",
        &url,
        "--fill",
        "200000",
        "--trailer",
        "x-t:1",
        "--quiet",
        "--times",
        "3",
    ];
    let out = client(&args, |state| {
        state.http = WasiHttpCtx::with_client(allow(&[&format!("h2c://{address}")]));
    })
    .await;
    let line = format!("POST /x {address} - 200000 trailers");
    assert_eq!(out.matches(&line).count(), 3, "{out}");
    assert!(out.contains("x-t"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_used_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let address = listen(move |stream| {
        count.fetch_add(1, Ordering::SeqCst);
        serve1(stream, describe)
    })
    .await;
    let url = format!("http://{address}/");
    let out = client(&["GET", &url, "--quiet", "--times", "5"], granted(address)).await;
    assert_eq!(out.matches("status: 200").count(), 5);
    assert!(connections.load(Ordering::SeqCst) < 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_that_was_closed_is_replaced() {
    // Says that it keeps the connection, and does not.
    let address = listen(|mut stream| async move {
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await;
    })
    .await;
    let url = format!("http://{address}/");
    let out = client(&["GET", &url, "--quiet", "--times", "4"], granted(address)).await;
    assert_eq!(out.matches("2 bytes: ok").count(), 4, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_of_responses() {
    let address = listen(|stream| {
        serve2(stream, |_| async {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", "123".parse().unwrap());
            let frames = vec![
                Ok(Frame::data(Bytes::from_static(b"abc"))),
                Ok(Frame::trailers(trailers)),
            ];
            Response::new(Frames(frames).boxed_unsync())
        })
    })
    .await;
    let out = client(&["GET", &format!("http://{address}/"), "--quiet"], |state| {
        state.http = WasiHttpCtx::with_client(allow(&[&format!("h2c://{address}")]));
    })
    .await;
    assert_eq!(out, "status: 200\nbody: 3 bytes: abc\ntrailer: x-sum: 123\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_and_encodings_are_left_alone() {
    let address = listen(|stream| {
        serve1(stream, |_| async {
            Response::builder()
                .status(302)
                .header("location", "/other")
                .header("content-encoding", "gzip")
                .header("connection", "x-hop")
                .header("x-hop", "1")
                .body(Full::new(Bytes::from_static(b"raw")).boxed_unsync())
                .unwrap()
        })
    })
    .await;
    let out = client(&["GET", &format!("http://{address}/")], granted(address)).await;
    assert!(
        out.contains("status: 302\n") && out.contains("3 bytes: raw"),
        "{out}"
    );
    assert!(
        out.contains("content-encoding: gzip") && !out.contains("x-hop"),
        "{out}"
    );
}

/// A server that sends these bytes and closes the connection, or waits.
async fn raw(bytes: &'static [u8], wait: bool) -> SocketAddr {
    listen(move |mut stream| async move {
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(bytes).await;
        if wait {
            std::future::pending::<()>().await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_responses_are_errors() {
    static HUGE: [u8; 200 << 10] = {
        let mut bytes = [b'x'; 200 << 10];
        let start = b"HTTP/1.1 200 OK\r\nx: ";
        let mut i = 0;
        while i < start.len() {
            bytes[i] = start[i];
            i += 1;
        }
        bytes
    };
    for (bytes, code) in [
        (&b""[..], "HttpResponseIncomplete"),
        (b"garbage\r\n\r\n", "HttpProtocolError"),
        (b"HTTP/1.1 200 OK\r\na: b", "HttpResponseIncomplete"),
        (b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n", "HttpProtocolError"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
            "HttpResponseIncomplete",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nabc",
            "HttpProtocolError",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            "HttpProtocolError",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
            "HttpResponseIncomplete",
        ),
        (
            b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
            "HttpUpgradeFailed",
        ),
        (&HUGE, "HttpResponseHeaderSectionSize(None)"),
    ] {
        let address = raw(bytes, false).await;
        let out = client(
            &["GET", &format!("http://{address}/"), "--quiet"],
            granted(address),
        )
        .await;
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(
            out.ends_with(&format!("error: ErrorCode::{code}\n")),
            "{start:?}: {out}"
        );
    }
}

/// A server that takes so many bytes, sends these, and resets the connection.
async fn resetting(take: usize, bytes: &'static [u8]) -> SocketAddr {
    listen(move |mut stream| async move {
        let mut taken = vec![0; take];
        let _ = stream.read_exact(&mut taken).await;
        let _ = stream.write_all(bytes).await;
        // Time for it to arrive: a reset overtakes it.
        tokio::time::sleep(Duration::from_millis(100)).await;
        // What was sent and not read makes the system reset a connection that is closed.
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_resets_the_connection_is_an_error() {
    let get: &[&str] = &[];
    let post = &["--fill", "30000000"][..];
    for (args, take, bytes) in [
        (get, 10, &b""[..]),
        (get, 10, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
        (
            get,
            10,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        ),
        (post, 5000, b""),
        (post, 100_000, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
    ] {
        let address = resetting(take, bytes).await;
        let method = if args.is_empty() { "GET" } else { "POST" };
        let url = format!("http://{address}/");
        let args = [&[method, &url, "--quiet"], args].concat();
        let out = client(&args, granted(address)).await;
        let last = out.lines().last().unwrap_or_default();
        let expected = [
            "error: ErrorCode::ConnectionTerminated",
            "error: ErrorCode::HttpResponseIncomplete",
        ];
        assert!(expected.contains(&last), "{args:?}, {bytes:?}: {out}");
    }
}

/// Knows no name.
struct Broken(io::ErrorKind);

#[async_trait]
impl Resolve for Broken {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(self.0.into())
    }
}

/// Knows names without addresses.
struct Empty;

#[async_trait]
impl Resolve for Empty {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_can_not_be_resolved_is_an_error() {
    let builder = || {
        let policy = HttpPolicy::new().allow("http://db.example").unwrap();
        HttpClient::builder().policy(policy)
    };
    for (builder, error) in [
        (builder().resolver(Broken(io::ErrorKind::NotFound)), "DnsError("),
        (builder().resolver(Broken(io::ErrorKind::Other)), "DnsError("),
        (builder().resolver(Broken(io::ErrorKind::TimedOut)), "DnsTimeout"),
        (builder().resolver(Empty), "DestinationNotFound"),
    ] {
        let http = WasiHttpCtx::with_client(builder.build().unwrap());
        let out = client(&["GET", "http://db.example/"], |state| state.http = http).await;
        assert!(out.starts_with(&format!("error: ErrorCode::{error}")), "{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_limits() {
    for (bytes, flag, code) in [
        (&b""[..], "--first-byte-ms", "ConnectionReadTimeout"),
        (b"HTTP/1.1 200 OK\r\n", "--first-byte-ms", "ConnectionReadTimeout"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na",
            "--between-ms",
            "ConnectionReadTimeout",
        ),
    ] {
        let address = raw(bytes, true).await;
        let url = format!("http://{address}/");
        let out = client(&["GET", &url, "--quiet", flag, "50"], granted(address)).await;
        assert!(out.ends_with(&format!("error: ErrorCode::{code}\n")), "{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let out = client(&["GET", &format!("http://{address}/")], granted(address)).await;
    assert_eq!(out, "error: ErrorCode::ConnectionRefused\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_sent() {
    let address = listen(|stream| serve1(stream, describe)).await;
    let url = format!("http://{address}/");
    for (args, expected) in [
        (
            &["CONNECT", &url][..],
            "error: ErrorCode::HttpRequestMethodInvalid",
        ),
        (&["GET", "ftp://a/"], "error: ErrorCode::HttpProtocolError"),
        (
            &["GET", &url, "--header", "host:evil"],
            "failure: a header is refused",
        ),
        (
            &["GET", &url, "--header", "x:a\r\ny: b"],
            "failure: a header is refused",
        ),
        (
            &["GET", &format!("{url}a b")],
            "failure: a part of the request is refused",
        ),
        (
            &["GET", &url, "--header", "content-length:5"],
            "error: ErrorCode::HttpRequestBodySize(Some(0))",
        ),
        (
            &["POST", &url, "--body", "abc", "--header", "content-length:2"],
            "error: ErrorCode::HttpRequestBodySize(Some(3))",
        ),
        (
            &["POST", &url, "--body", "abc", "--header", "content-length:4"],
            "error: ErrorCode::HttpRequestBodySize(Some(3))",
        ),
    ] {
        let out = client(args, granted(address)).await;
        assert_eq!(out, format!("{expected}\n"), "{args:?}");
    }
}

/// Knows one address for every name.
struct Fixed(IpAddr);

#[async_trait]
impl Resolve for Fixed {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![self.0])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_does_not_lead_inside() {
    let address = listen(|stream| serve1(stream, describe)).await;
    let url = format!("http://rebound.test:{}/", address.port());
    for (rule, allowed) in [
        ("http://rebound.test:*", false),
        ("http://*:*", false),
        ("http://rebound.test:*::private", true),
    ] {
        let client_of = HttpClient::builder()
            .policy(HttpPolicy::new().allow(rule).unwrap())
            .resolver(Fixed(address.ip()))
            .build()
            .unwrap();
        let out = client(&["GET", &url, "--quiet"], |state| {
            state.http = WasiHttpCtx::with_client(client_of);
        })
        .await;
        match allowed {
            true => assert!(out.starts_with("status: 200"), "{out}"),
            false => assert_eq!(out, "error: ErrorCode::DestinationIpProhibited\n"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_connections_is_limited() {
    let address = raw(b"", true).await;
    let client_of = HttpClient::builder()
        .policy(HttpPolicy::new().allow(&format!("http://{address}")).unwrap())
        .max_connections(1)
        .build()
        .unwrap();
    let url = format!("http://{address}/");
    let first = {
        let client_of = client_of.clone();
        let url = url.clone();
        tokio::spawn(async move {
            client(&["GET", &url, "--first-byte-ms", "3000"], |state| {
                state.http = WasiHttpCtx::with_client(client_of);
            })
            .await
        })
    };
    // Until the first one has the connection.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let out = client(&["GET", &url, "--connect-ms", "100"], |state| {
        state.http = WasiHttpCtx::with_client(client_of);
    })
    .await;
    assert_eq!(out, "error: ErrorCode::ConnectionLimitReached\n");
    first.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedder_can_answer_itself() {
    struct Canned;
    impl WasiHttpHooks for Canned {
        fn send_request(
            &mut self,
            _: &WasiHttpCtx,
            request: http::Request<HyperOutgoingBody>,
            config: OutgoingRequestConfig,
        ) -> wharf_wasi_http::HttpResult<wharf_wasi_http::HostFutureIncomingResponse> {
            let text = format!("instead of {}", request.uri());
            let body = Full::new(Bytes::from(text))
                .map_err(|e| match e {})
                .boxed_unsync();
            Ok(wharf_wasi_http::HostFutureIncomingResponse::ready(Ok(
                wharf_wasi_http::IncomingResponse {
                    resp: Response::new(body),
                    between_bytes_timeout: config.between_bytes_timeout,
                },
            )))
        }
    }
    let out = client(&["GET", "https://example.org/x", "--quiet"], |state| {
        state.hooks = Some(Box::new(Canned));
        let _ = state.http();
    })
    .await;
    assert!(out.contains("instead of https://example.org/x"), "{out}");
}

#[test]
fn a_synchronous_call_needs_no_runtime() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        let _ = stream.read(&mut [0; 1024]);
    });
    let out = client_sync(
        &["GET", &format!("http://{address}/"), "--quiet"],
        granted(address),
    );
    assert_eq!(out, "status: 200\nbody: 2 bytes: ok\n");
}
