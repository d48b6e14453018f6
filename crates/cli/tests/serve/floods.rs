//! Clients that misuse HTTP/2: what each of them costs is bounded, in memory and in time, and others are served meanwhile.

use std::io::Read;
use std::time::Duration;

use crate::frames2::*;
use crate::support::{Server, attack};

fn start(flags: &[&str]) -> Server {
    let mut all = vec!["--metrics-addr", "127.0.0.1:0", "--guest-threads", "2"];
    all.extend(flags);
    Server::start(&all)
}

fn instances(server: &Server) -> u64 {
    server.metric("wharf_guest_instances_total")
}

/// The ids of a client's streams.
fn id(i: usize) -> u32 {
    2 * u32::try_from(i).unwrap() + 1
}

#[test]
fn many_references_to_one_large_field() {
    let server = start(&[]);
    attack(&server, || {
        let mut client = Client::new(&server, &[]);
        let value = "y".repeat(4000);
        let first = [request("GET", "/"), kept_field("x", &value)].concat();
        client
            .send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &first))
            .unwrap();
        // 64 MB each, if they were written out.
        let bomb = [request("GET", "/bomb"), vec![LAST_KEPT; 16_000]].concat();
        client.flood(200, |i| {
            frame(HEADERS, END_STREAM | END_HEADERS, id(i + 1), &bomb)
        });
        // The first is in order.
        client.until(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0);
    });
    let bombs = server.lines().into_iter().filter(|line| line.contains("/bomb"));
    assert_eq!(bombs.count(), 0);
}

#[test]
fn many_references_in_many_frames() {
    let server = start(&[]);
    attack(&server, || {
        let mut client = Client::new(&server, &[]);
        let first = [request("GET", "/"), kept_field("x", &"y".repeat(4000))].concat();
        client.send(&frame(HEADERS, END_STREAM, 1, &first)).unwrap();
        let more = frame(CONTINUATION, 0, 1, &[LAST_KEPT; 16_000]);
        assert!(client.flood(10_000, |_| more.clone()) < 10_000);
    });
}

#[test]
fn heads_that_do_not_end() {
    let server = start(&[]);
    let long = field("x", &"y".repeat(16_000));
    for payload in [&[][..], b"\0\x01x\x01y", &long] {
        attack(&server, || {
            let mut client = Client::new(&server, &[]);
            client
                .send(&frame(HEADERS, END_STREAM, 1, &request("GET", "/")))
                .unwrap();
            let more = frame(CONTINUATION, 0, 1, payload);
            let sent = client.flood(1_000_000, |_| more.clone());
            assert!(sent < 1_000_000, "{} bytes each", payload.len());
        });
    }
    // It does not go on at all.
    let server = start(&["--header-timeout", "300ms", "--idle-timeout", "300ms"]);
    attack(&server, || {
        let mut client = Client::new(&server, &[]);
        client
            .send(&frame(HEADERS, END_STREAM, 1, &request("GET", "/")))
            .unwrap();
        client.until(|_| false);
    });
}

#[test]
fn many_small_fields() {
    let server = start(&[]);
    attack(&server, || {
        let mut client = Client::new(&server, &[]);
        let mut fields = request("GET", "/many");
        for i in 0..2400 {
            fields.extend(field(&format!("{i:x}"), ""));
        }
        client
            .send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &fields))
            .unwrap();
        client.until(|frame| frame.stream == 1);
    });
    assert!(!server.lines().iter().any(|line| line.contains("/many")));
}

#[test]
fn frames_that_have_to_be_answered() {
    let server = start(&["--body-timeout", "500ms"]);
    for part in [
        settings(&[(INITIAL_WINDOW_SIZE, 1 << 16)]),
        settings(&[]),
        frame(PING, 0, 0, &[7; 8]),
    ] {
        attack(&server, || {
            let mut client = Client::new(&server, &[]);
            let many = part.repeat(1000);
            // Nothing of what comes back is taken.
            let sent = client.flood(20_000, |_| many.clone());
            assert!(sent < 20_000);
        });
    }
}

#[test]
fn frames_that_say_nothing() {
    let server = start(&["--timeout", "5s", "--idle-timeout", "2s"]);
    let empty = frame(DATA, 0, 1, &[]);
    let priority = frame(2, 0, 1, &[0, 0, 0, 0, 1]);
    let unknown = frame(0x77, 0, 0, &[]);
    let window = frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes());
    for part in [empty, priority, unknown, window] {
        attack(&server, || {
            let mut client = Client::new(&server, &[]);
            client.send(&post(1, "/read")).unwrap();
            let many = part.repeat(1000);
            client.flood(2000, |_| many.clone());
        });
    }
}

#[test]
fn streams_that_are_reset_at_once() {
    let server = start(&["--timeout", "60s"]);
    // Each pair at once, so that the stream is gone before it is accepted,
    attack(&server, || {
        let mut client = Client::new(&server, &[]);
        let sent = client.flood(50_000, |i| {
            let id = id(i);
            [get(id, "/sleep?ms=50000"), reset(id, CANCEL)].concat()
        });
        assert!(sent < 50_000);
    });
    let begun = instances(&server);
    assert!(begun < 2000, "{begun}");
    // and one after the other, so that its guest runs.
    attack(&server, || {
        let mut client = Client::new(&server, &[]);
        let sent = client.flood(50_000, |i| {
            std::thread::sleep(Duration::from_millis(1));
            match i % 2 {
                0 => get(id(i / 2), "/sleep?ms=50000"),
                _ => reset(id(i / 2), CANCEL),
            }
        });
        assert!(sent < 5000, "{sent}");
    });
    server.wait_for("the client gave up 100 requests more than it let finish");
    server.until(|| server.metric("wharf_guests_running") == 0);
    server.until(|| server.metric("wharf_http_requests_in_flight") == 0);
}

#[test]
fn who_gives_up_now_and_then_is_no_attacker() {
    let server = start(&[]);
    let mut client = Client::new(&server, &[]);
    for i in 0..400 {
        let (first, second) = (id(2 * i), id(2 * i + 1));
        let both = [
            get(first, "/sleep?ms=50000"),
            reset(first, CANCEL),
            get(second, "/"),
        ];
        client.send(&both.concat()).unwrap();
        let frames = client.until(|frame| frame.stream == second && frame.flags & END_STREAM != 0);
        assert!(
            frames.last().is_some_and(|frame| frame.stream == second),
            "{i}: {frames:?}"
        );
    }
}

/// Whether the last frame that came is the end of a stream.
fn has_ended(frames: &[Frame], stream: u32) -> bool {
    frames
        .last()
        .is_some_and(|frame| frame.stream == stream && frame.flags & END_STREAM != 0)
}

#[test]
fn who_is_being_answered_may_leave_at_any_time() {
    let server = start(&[]);
    let mut client = Client::new(&server, &[]);
    for i in 0..150 {
        client.send(&get(id(i), "/stream?parts=1000&ms=1000")).unwrap();
        let frames = client.until(|frame| frame.kind == HEADERS && frame.stream == id(i));
        assert!(
            frames.last().is_some_and(|frame| frame.stream == id(i)),
            "{i}: {frames:?}"
        );
        client.send(&reset(id(i), CANCEL)).unwrap();
    }
    client.send(&get(id(150), "/")).unwrap();
    let frames = client.until(|frame| frame.stream == id(150) && frame.flags & END_STREAM != 0);
    assert!(has_ended(&frames, id(150)), "{frames:?}");
}

#[test]
fn what_others_asked_for_on_the_same_connection_is_answered() {
    let server = start(&["--timeout", "60s"]);
    let mut client = Client::new(&server, &[]);
    client.send(&get(1, "/sleep?ms=3000")).unwrap();
    let mut frames = Vec::new();
    for i in 1..=150 {
        if frames.iter().any(|frame: &Frame| frame.kind == GOAWAY) {
            break;
        }
        let ping = frame(PING, 0, 0, &[7; 8]);
        client
            .send(&[get(id(i), "/sleep?ms=50000"), ping].concat())
            .unwrap();
        // Once that is answered, the request has been read, and its guest begins.
        frames.extend(client.until(|frame| frame.kind == PING && frame.flags & ACK != 0));
        client.send(&reset(id(i), CANCEL)).unwrap();
    }
    frames.extend(client.until(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0));
    let ended = |frame: &Frame| frame.stream == 1 && frame.flags & END_STREAM != 0;
    assert!(frames.iter().any(ended), "{:?}", frames.last());
    let begun = instances(&server);
    assert!(begun < 130, "{begun}");
    // Then it ends.
    client.until(|_| false);
    server.until(|| server.metric("wharf_http_connections") == 0);
    assert_eq!(server.metric("wharf_http_connection_errors_total"), 1);
}

#[test]
fn streams_that_the_server_is_made_to_reset() {
    let server = start(&["--timeout", "60s"]);
    let zero = |id| frame(WINDOW_UPDATE, 0, id, &[0; 4]);
    let own = |id: u32| frame(2, 0, id, &[&id.to_be_bytes()[..], &[1]].concat());
    let large = |id| frame(WINDOW_UPDATE, 0, id, &0x7fff_ffff_u32.to_be_bytes());
    let behind = |id| frame(DATA, END_STREAM, id, b"behind the end");
    let wrongs: [&(dyn Fn(u32) -> Vec<u8> + Sync); 4] = [&zero, &own, &large, &behind];
    for wrong in wrongs {
        let before = instances(&server);
        attack(&server, || {
            let mut client = Client::new(&server, &[]);
            let sent = client.flood(20_000, |i| {
                let id = id(i);
                [get(id, "/sleep?ms=50000"), wrong(id)].concat()
            });
            assert!(sent < 20_000);
        });
        let begun = instances(&server) - before;
        assert!(begun < 2500, "{begun}");
        server.until(|| server.metric("wharf_guests_running") == 0);
    }
}

#[test]
fn answers_that_may_not_be_sent() {
    let server = start(&[
        "--body-timeout",
        "700ms",
        "--timeout",
        "60s",
        "--idle-timeout",
        "60s",
    ]);
    attack(&server, || {
        let mut client = Client::new(&server, &[(INITIAL_WINDOW_SIZE, 0)]);
        for i in 0..100 {
            let target = ["/", "/stream?parts=100000", "/length?declared=9&sent=9"][i % 3];
            client.send(&get(id(i), target)).unwrap();
        }
        // It lives, and does nothing else.
        let mut reset = 0;
        while reset < 100 {
            let frames = client.until(|frame| frame.kind == RST_STREAM);
            let last = frames.last().expect("the connection stays");
            assert_eq!((last.kind, last.code()), (RST_STREAM, CANCEL), "{last:?}");
            reset += 1;
        }
    });
    server.until(|| server.metric("wharf_http_requests_in_flight") == 0);
    server.until(|| server.metric("wharf_guests_running") == 0);
    server.wait_for("the client takes nothing");
}

#[test]
fn a_window_of_one_byte_is_no_way_around() {
    let server = start(&["--body-timeout", "500ms", "--idle-timeout", "60s"]);
    let mut client = Client::new(&server, &[(INITIAL_WINDOW_SIZE, 1)]);
    for i in 0..100 {
        client.send(&get(id(i), "/status?code=200&bytes=60000")).unwrap();
    }
    for _ in 0..100 {
        let frames = client.until(|frame| frame.kind == RST_STREAM);
        let last = frames.last().expect("the connection stays");
        assert_eq!((last.kind, last.code()), (RST_STREAM, CANCEL), "{last:?}");
    }
    server.wait_for("the client takes nothing");
}

#[test]
fn bodies_that_come_although_they_are_not_wanted() {
    let server = start(&["--max-concurrent", "1", "--max-waiting", "0"]);
    let mut client = Client::new(&server, &[]);
    client.send(&get(1, "/sleep?ms=2000")).unwrap();
    server.until(|| server.metric("wharf_guests_running") == 1);
    for round in 0..4 {
        let ids: Vec<u32> = (1..=100).map(|i| id(100 * round + i)).collect();
        for id in &ids {
            client.send(&post(*id, "/read")).unwrap();
        }
        for _ in &ids {
            client.until(|frame| frame.stream > 1 && frame.flags & END_STREAM != 0);
        }
        for id in &ids {
            client.send(&frame(DATA, END_STREAM, *id, b"body")).unwrap();
        }
    }
    // The others of the connection don't suffer from that.
    let frames = client.until(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0);
    assert!(has_ended(&frames, 1), "{:?}", frames.last());
}

#[test]
fn bodies_that_never_come() {
    let server = start(&["--body-timeout", "500ms", "--timeout", "3s"]);
    attack(&server, || {
        let mut client = Client::new(&server, &[]);
        for i in 0..400 {
            let target = ["/read", "/sleep?ms=60000", "/echo"][i % 3];
            if client.send(&post(id(i), target)).is_err() {
                break;
            }
        }
        let ended = |frame: &Frame| frame.kind == RST_STREAM || frame.flags & END_STREAM != 0;
        let mut left = 400;
        while left > 0 && !client.until(|f| f.stream != 0 && ended(f)).is_empty() {
            left -= 1;
        }
    });
    server.until(|| server.metric("wharf_http_requests_in_flight") == 0);
    server.until(|| server.metric("wharf_guests_running") == 0);
}

#[test]
fn bodies_that_nobody_reads() {
    let server = start(&["--timeout", "2s"]);
    attack(&server, || {
        let mut client = Client::new(&server, &[]);
        client.send(&post(1, "/sleep?ms=60000")).unwrap();
        let part = frame(DATA, 0, 1, &[b'x'; 16_000]);
        client.flood(10_000, |_| part.clone());
        let _ = client.0.read(&mut [0; 100]);
    });
}
