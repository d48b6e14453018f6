//! Answers of HTTP/2 servers that do not come to their end, and answers before the answer.

mod common;

use common::{State, allow, client, listen};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wharf_wasi_http::WasiHttpCtx;

/// A server that waits for a request, sends these bytes, and waits, or closes the connection.
async fn sending(bytes: Vec<u8>, close: bool) -> SocketAddr {
    listen(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            // The head of a request may be a piece of its own.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let _ = stream.write_all(&bytes).await;
            while !close && stream.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {}
        }
    })
    .await
}

fn granted(rule: String) -> impl FnOnce(&mut State) {
    let client = allow(&[&rule]);
    |state| state.http = WasiHttpCtx::with_client(client)
}

/// A frame of stream 1, or of the connection for settings.
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let stream = u8::from(kind != 4);
    let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
    [&head[..], payload].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_end_too_soon() {
    let settings = frame(4, 0, b"");
    // `:status: 200`, and `content-length: 1`.
    let head = frame(1, 4, b"\x88");
    let short = frame(1, 4, b"\x88\x0f\x0d\x011");
    let data = frame(0, 0, b"abc");
    let reset = |code| frame(3, 0, &[0, 0, 0, code]);
    for (frames, close, code) in [
        // CANCEL, INTERNAL_ERROR
        ([&head, &data, &reset(8)], false, "ConnectionTerminated"),
        ([&head, &data, &reset(2)], false, "ConnectionTerminated"),
        ([&head, &data, &data], true, "ConnectionTerminated"),
        ([&short, &data, &data], false, "HttpProtocolError"),
    ] {
        let bytes = [&settings[..], frames[0], frames[1], frames[2]].concat();
        let address = sending(bytes, close).await;
        let url = format!("http://{address}/");
        let out = client(&["GET", &url, "--quiet"], granted(format!("h2c://{address}"))).await;
        let last = out.lines().last().unwrap_or_default();
        let found = last.strip_prefix("error: ErrorCode::").unwrap_or(last);
        let same = found == code || (code == "ConnectionTerminated" && found == "HttpResponseIncomplete");
        assert!(same, "{code}: {out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn some_interim_answers_are_passed_over() {
    let early = "HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n";
    let last = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    for (number, expected) in [
        (1, "status: 200\nbody: 2 bytes: ok\n"),
        (60, "status: 200\nbody: 2 bytes: ok\n"),
    ] {
        let bytes = early.repeat(number) + last;
        let address = sending(bytes.into(), false).await;
        let rule = format!("http://{address}");
        let out = client(&["GET", &format!("{rule}/"), "--quiet"], granted(rule.clone())).await;
        assert_eq!(out, expected, "{number}");
    }
    // More than enough, and no answer behind them.
    let address = sending(early.repeat(100).into(), false).await;
    let rule = format!("http://{address}");
    let out = client(&["GET", &format!("{rule}/"), "--quiet"], granted(rule.clone())).await;
    assert_eq!(out, "error: ErrorCode::HttpProtocolError\n");
}
