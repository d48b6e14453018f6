//! Requests to a guest.

mod common;

use bytes::Bytes;
use common::frames::Frames;
use common::{Answer, get, hello};
use http::{HeaderMap, Request};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use wharf_wasi::MemoryOutputPipe;
use wharf_wasi_http::ErrorCode;

#[tokio::test]
async fn a_simple_answer() {
    let (answer, guest) = hello(get("/"), |_| {}).await;
    assert_eq!(answer.text().await, (200, "hello\n".to_owned()));
    let state = guest.await.unwrap().unwrap();
    assert!(state.table.is_empty(), "the guest dropped what it had");
}

#[tokio::test]
async fn the_rules_of_the_types() {
    let (answer, guest) = hello(get("/checks"), |_| {}).await;
    assert_eq!(answer.text().await, (200, "all fine\n".to_owned()));
    assert!(guest.await.unwrap().unwrap().table.is_empty());
}

#[tokio::test]
async fn what_the_guest_sees_of_a_request() {
    let request = Request::builder()
        .method("PURGE")
        .uri("/headers?a=b")
        .header("host", "example.org:81")
        .header("x-a", "1")
        .header("x-a", "2")
        .header("connection", "close, x-hop")
        .header("x-hop", "hidden")
        .header("transfer-encoding", "chunked")
        .body(Full::<Bytes>::default())
        .unwrap();
    let (answer, _) = hello(request, |_| {}).await;
    let (_, text) = answer.text().await;
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        r#"Method::Other("PURGE") Some(Scheme::Http) Some("example.org:81") Some("/headers?a=b")"#
    );
    assert_eq!(lines.collect::<Vec<_>>(), ["x-a: 1", "x-a: 2"]);
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Frame<Bytes>>(1);
    struct Channel(tokio::sync::mpsc::Receiver<Frame<Bytes>>);
    impl http_body::Body for Channel {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.poll_recv(cx).map(|frame| frame.map(Ok))
        }
    }
    let request = Request::post("/echo").body(Channel(receiver)).unwrap();
    let (answer, guest) = hello(request, |_| {}).await;
    let Answer::Response(response) = answer else {
        panic!("no response")
    };
    let mut body = response.into_body();
    // Each part comes back before the next is sent.
    for part in ["one", "two", "three"] {
        sender
            .send(Frame::data(Bytes::from_static(part.as_bytes())))
            .await
            .unwrap();
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), part);
    }
    drop(sender);
    assert!(body.frame().await.is_none());
    guest.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_large_body_waits_for_its_reader() {
    let content = Bytes::from(vec![b'x'; 3 << 20]);
    let request = Request::post("/echo").body(Full::new(content)).unwrap();
    let (answer, _) = hello(request, |_| {}).await;
    let (status, text) = answer.text().await;
    assert_eq!((status, text.len()), (200, 3 << 20));
}

#[tokio::test]
async fn trailers_both_ways() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "abc".parse().unwrap());
    let frames = vec![
        Ok(Frame::data(Bytes::from_static(b"12345"))),
        Ok(Frame::trailers(trailers)),
    ];
    let request = Request::post("/trailers")
        .body(Frames::<ErrorCode>(frames))
        .unwrap();
    let (answer, _) = hello(request, |_| {}).await;
    let Answer::Response(response) = answer else {
        panic!("no response")
    };
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().unwrap();
    assert_eq!(trailers["x-length"], "5");
    assert_eq!(trailers["x-received"], "x-sum=abc");
}

#[tokio::test]
async fn a_broken_body_is_an_error_for_the_guest() {
    let frames = vec![
        Ok(Frame::data(Bytes::from_static(b"12345"))),
        Err(ErrorCode::ConnectionTerminated),
    ];
    let request = Request::post("/read").body(Frames::<ErrorCode>(frames)).unwrap();
    let (answer, _) = hello(request, |_| {}).await;
    let (status, text) = answer.text().await;
    assert_eq!(status, 400);
    assert!(text.contains("ConnectionTerminated"), "{text}");
}

#[tokio::test]
async fn errors_and_missing_answers() {
    let (answer, guest) = hello(get("/error"), |_| {}).await;
    assert!(matches!(answer, Answer::Error(ErrorCode::HttpResponseTimeout)));
    guest.await.unwrap().unwrap();
    let (answer, guest) = hello(get("/none"), |_| {}).await;
    assert!(matches!(answer, Answer::None));
    guest.await.unwrap().unwrap();
    let (answer, guest) = hello(get("/trap"), |_| {}).await;
    assert!(matches!(answer, Answer::None));
    assert!(guest.await.unwrap().is_err());
}

#[tokio::test]
async fn broken_answers_do_not_look_whole() {
    for path in ["/trap-late", "/break-off"] {
        let (answer, _) = hello(get(path), |_| {}).await;
        let Answer::Response(response) = answer else {
            panic!("no response")
        };
        assert!(response.into_body().collect().await.is_err(), "{path}");
    }
}

#[tokio::test]
async fn finishing_a_body_while_its_stream_lives_traps() {
    let (answer, guest) = hello(get("/trap-lent"), |_| {}).await;
    assert!(matches!(answer, Answer::Response(_)));
    let error = guest.await.unwrap().map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("has children"), "{error}");
}

#[tokio::test]
async fn the_length_has_to_be_what_was_announced() {
    for (declared, sent, whole, told) in [
        (3, 3, true, "finish: Ok"),
        (3, 2, false, "HttpResponseBodySize(Some(2))"),
        (3, 4, false, "HttpResponseBodySize(Some(4))"),
    ] {
        let errors = MemoryOutputPipe::new(1 << 10);
        let target = format!("/length?declared={declared}&sent={sent}");
        let stderr = errors.clone();
        let (answer, guest) = hello(get(&target), move |state| {
            state.ctx = wharf_wasi::WasiCtx::builder().stderr(stderr).build();
        })
        .await;
        let Answer::Response(response) = answer else {
            panic!("no response")
        };
        assert_eq!(response.into_body().collect().await.is_ok(), whole, "{target}");
        guest.await.unwrap().unwrap();
        let errors = String::from_utf8(errors.contents().to_vec()).unwrap();
        assert!(errors.contains(told), "{target}: {errors}");
    }
}

#[tokio::test]
async fn a_dropped_call_ends_the_guest() {
    let (answer, guest) = hello(get("/stream?parts=1000&ms=1000"), |_| {}).await;
    let Answer::Response(response) = answer else {
        panic!("no response")
    };
    let mut body = response.into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "part 0\n"
    );
    guest.abort();
    let _ = guest.await;
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn messages_may_take_only_so_much_memory() {
    let (answer, guest) = hello(get("/"), |state| {
        state.http.set_memory_limit(10 << 10);
    })
    .await;
    // There is no room for a body.
    assert!(matches!(answer, Answer::None));
    let error = guest.await.unwrap().map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("more memory"), "{error}");
}
