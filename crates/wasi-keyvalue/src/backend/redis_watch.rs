//! Listening to what a Redis server tells of changes.

use super::redis_server::{Server, channel_error, store_error};
use super::{Change, Teller, Told};
use crate::error::StoreError;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, RedisError, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

/// How often the server is asked whether it is still there: a connection may break without a word.
const ASK: Duration = Duration::from_secs(5);

/// How long to wait before the next attempt to connect, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(5)];

/// Tells of the changes that are published in a channel until nobody takes them any more. `begun` gets something when it
/// listens for the first time, or could not.
pub(super) async fn listen(server: Arc<Server>, channel: String, teller: Teller, begun: oneshot::Sender<()>) {
    let (mut begun, mut interrupted, mut pause) = (Some(begun), None, PAUSES[0]);
    while !teller.is_closed() {
        let lost = Arc::new(Notify::new());
        let error = match subscribe(&server, &channel, &teller, &lost).await {
            Ok(connection) => {
                if interrupted.take().is_some() {
                    teller.tell(Told::Resumed);
                }
                drop(begun.take());
                let since = Instant::now();
                let ended = stay(connection, &teller, &lost).await;
                // One that closes connections at once is left alone for longer each time, too.
                if since.elapsed() >= ASK {
                    pause = PAUSES[0];
                }
                match ended {
                    Some(error) => error,
                    None => return,
                }
            }
            Err(error) => channel_error(&error),
        };
        if interrupted.as_ref() != Some(&error) {
            teller.tell(Told::Interrupted(error.clone()));
            interrupted = Some(error);
        }
        drop(begun.take());
        tokio::select! {
            () = teller.closed() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSES[1]);
    }
}

/// Begins to listen. `lost` is woken when the connection breaks.
async fn subscribe(
    server: &Server,
    channel: &str,
    teller: &Teller,
    lost: &Arc<Notify>,
) -> Result<MultiplexedConnection, RedisError> {
    let (teller, lost) = (teller.clone(), lost.clone());
    let receive = move |info: PushInfo| match info.kind {
        PushKind::Message => {
            if let Some(told) = info.data.get(1).and_then(parse) {
                teller.tell(told);
            }
        }
        // The server may also take the right away to listen.
        PushKind::Disconnection | PushKind::Unsubscribe => lost.notify_one(),
        _ => {}
    };
    let mut connection = server.listener(receive).await?;
    connection.subscribe(channel).await?;
    Ok(connection)
}

/// Waits until the connection breaks, which is an error, or nobody takes changes any more.
async fn stay(mut connection: MultiplexedConnection, teller: &Teller, lost: &Notify) -> Option<StoreError> {
    loop {
        tokio::select! {
            () = teller.closed() => return None,
            () = lost.notified() => {
                return Some(StoreError::Unavailable("the connection broke".to_owned()));
            }
            () = tokio::time::sleep(ASK) => {}
        }
        if let Err(error) = redis::cmd("PING").query_async::<()>(&mut connection).await {
            return Some(store_error(&error));
        }
    }
}

/// What a message says; nothing if it is none of this crate.
fn parse(message: &Value) -> Option<Told> {
    let Value::BulkString(bytes) = message else {
        return None;
    };
    let (kind, rest) = bytes.split_first()?;
    if *kind == b'L' {
        return Some(Told::Lost(1));
    }
    let digits = rest.iter().position(|byte| *byte == b':')?;
    let len: usize = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    let (key, value) = rest[digits + 1..].split_at_checked(len)?;
    let key = String::from_utf8(key.to_vec()).ok()?;
    match kind {
        b'S' => Some(Told::Change(Change::Set {
            key,
            value: value.to_vec(),
        })),
        b'D' => Some(Told::Change(Change::Deleted { key })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        let parsed = |bytes: &[u8]| parse(&Value::BulkString(bytes.to_vec()));
        let set = |key: &str, value: &[u8]| {
            Some(Told::Change(Change::Set {
                key: key.to_owned(),
                value: value.to_vec(),
            }))
        };
        assert_eq!(parsed(b"S1:ab\0"), set("a", b"b\0"));
        assert_eq!(parsed(b"S0:"), set("", b""));
        assert_eq!(parsed(b"S3:1:2:"), set("1:2", b":"));
        let key = "k".to_owned();
        assert_eq!(parsed(b"D1:k"), Some(Told::Change(Change::Deleted { key })));
        assert_eq!(parsed(b"L"), Some(Told::Lost(1)));
        // Anybody can send messages.
        for bad in [
            &b""[..],
            b"S",
            b"S1",
            b"S2:a",
            b"S-1:a",
            b"S1:\xff",
            b"X1:a",
            b"S99999999999999999999:a",
            b"S18446744073709551615:a",
        ] {
            assert_eq!(parsed(bad), None, "{bad:?}");
        }
        assert_eq!(parse(&Value::Int(1)), None);
    }
}
