//! HTTP/2 without TLS, by prior knowledge.

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;

use crate::frames::Frames;
use crate::support::Server;

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

async fn connect(server: &Server) -> http2::SendRequest<Body> {
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

fn get(target: &str) -> Request<Body> {
    Request::get(format!("http://test{target}"))
        .body(Empty::new().boxed_unsync())
        .unwrap()
}

async fn text(sender: &mut http2::SendRequest<Body>, request: Request<Body>) -> (u16, String) {
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn many_requests_at_a_time() {
    let server = Server::start(&[]);
    let sender = connect(&server).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let mut sender = sender.clone();
        requests.spawn(async move { text(&mut sender, get("/sleep?ms=100")).await });
    }
    while let Some(answer) = requests.join_next().await {
        assert_eq!(answer.unwrap(), (200, "slept\n".to_owned()));
    }
}

#[tokio::test]
async fn what_the_guest_sees() {
    let server = Server::start(&[]);
    let mut sender = connect(&server).await;
    let (_, seen) = text(&mut sender, get("/headers?a=b")).await;
    assert!(
        seen.starts_with("Method::Get Some(Scheme::Http) Some(\"test\") Some(\"/headers?a=b\")\n"),
        "{seen}"
    );
    let large = Full::new(Bytes::from(vec![b'x'; 1 << 20])).boxed_unsync();
    let request = Request::post("http://test/echo").body(large).unwrap();
    let (status, body) = text(&mut sender, request).await;
    assert_eq!((status, body.len()), (200, 1 << 20));
}

#[tokio::test]
async fn trailers() {
    let server = Server::start(&[]);
    let mut sender = connect(&server).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "7".parse().unwrap());
    let frames = vec![
        Ok(Frame::data(Bytes::from_static(b"abc"))),
        Ok(Frame::trailers(trailers)),
    ];
    let request = Request::post("http://test/trailers")
        .body(Frames(frames).boxed_unsync())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().unwrap();
    assert_eq!(trailers["x-length"], "3");
    assert_eq!(trailers["x-received"], "x-sum=7");
}

#[tokio::test]
async fn a_broken_answer_resets_its_stream_only() {
    let server = Server::start(&[]);
    let mut sender = connect(&server).await;
    for target in ["/trap-late", "/break-off"] {
        let broken = match sender.send_request(get(target)).await {
            Ok(response) => response.into_body().collect().await.is_err(),
            Err(_) => true,
        };
        assert!(broken, "{target}");
    }
    assert_eq!(text(&mut sender, get("/trap")).await.0, 500);
    assert_eq!(text(&mut sender, get("/")).await.0, 200);
}

#[tokio::test]
async fn what_may_have_no_body_has_none() {
    let server = Server::start(&[]);
    let mut sender = connect(&server).await;
    for target in [
        "/",
        "/stream?parts=50",
        "/length?declared=3&sent=3",
        "/nowhere",
        "/trap",
    ] {
        let request = Request::head(format!("http://test{target}"))
            .body(Empty::new().boxed_unsync())
            .unwrap();
        let (_, body) = text(&mut sender, request).await;
        assert_eq!(body, "", "{target}");
    }
    for status in [204, 304] {
        let target = format!("/status?code={status}&bytes=5");
        assert_eq!(text(&mut sender, get(&target)).await, (status, String::new()));
    }
    // The guest does not notice.
    let line = server.wait_for("/stream");
    assert!(
        line.contains("\"end\":\"answered\"") && !line.contains("error"),
        "{line}"
    );
}

#[tokio::test]
async fn what_a_guest_wrote_before_it_broke_off_arrives() {
    let server = Server::start(&[]);
    let mut sender = connect(&server).await;
    for _ in 0..10 {
        let mut response = sender.send_request(get("/break-off")).await.unwrap();
        assert_eq!(response.status(), 200);
        let frame = response.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "some");
        assert!(response.body_mut().frame().await.unwrap().is_err());
    }
}

#[tokio::test]
async fn heads_are_limited() {
    let server = Server::start(&[]);
    let mut sender = connect(&server).await;
    let request = Request::get("http://test/")
        .header("x", "y".repeat(100_000))
        .body(Empty::new().boxed_unsync())
        .unwrap();
    match sender.send_request(request).await {
        Ok(response) => assert_eq!(response.status(), 431),
        Err(e) => drop(e),
    }
    let mut sender = connect(&server).await;
    assert_eq!(text(&mut sender, get("/")).await.0, 200);
}
