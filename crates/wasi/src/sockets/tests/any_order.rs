//! Guests may call anything at any time.

use super::{addr, net};
use crate::poll::Pollable;
use crate::sockets::SocketErrorCode;
use crate::sockets::address::IpFamily;
use crate::sockets::datagrams::ToSend;
use crate::sockets::grants::NetCtx;
use crate::sockets::tcp::{Streams, TcpSocket};
use crate::sockets::udp::UdpSocket;
use crate::stream::{InputStream, OutputStream, StreamError};
use crate::test_util::now;
use bytes::Bytes;
use std::net::SocketAddr;
use std::task::{Context, Waker};

/// Numbers in an order that is always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

/// Polls once.
fn poll(pollable: &mut impl Pollable) {
    let _ = pollable
        .ready()
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
}

fn pick<'a, T>(numbers: &mut Numbers, all: &'a mut [T]) -> Option<&'a mut T> {
    let n = all.len();
    all.get_mut(numbers.below(n.max(1)))
}

fn addresses(known: &[SocketAddr]) -> Vec<SocketAddr> {
    let fixed = [
        "127.0.0.1:0",
        "0.0.0.0:0",
        "[::1]:0",
        "224.0.0.1:1",
        "127.0.0.1:1",
        "10.0.0.1:1",
    ];
    fixed.into_iter().map(addr).chain(known.iter().copied()).collect()
}

fn use_stream(numbers: &mut Numbers, (input, output): &mut Streams) {
    let told = match numbers.below(6) {
        0 => input.read(numbers.below(3) * 10).map(drop),
        1 => output.check_write().map(drop),
        2 => match output.check_write() {
            Ok(n) if n > 0 => output.write(Bytes::from(vec![7; 1 + numbers.below(n)])),
            other => other.map(drop),
        },
        3 => output.flush(),
        4 => {
            poll(input);
            Ok(())
        }
        _ => {
            poll(output);
            Ok(())
        }
    };
    assert!(!matches!(told, Err(StreamError::Trap(_))));
}

#[test]
fn tcp_sockets_answer_anything() {
    let net = net(&["tcp:127.0.0.1:*", "tcp:[::1]:*"]);
    let mut numbers = Numbers(1);
    let mut sockets: Vec<TcpSocket> = Vec::new();
    let mut streams: Vec<Streams> = Vec::new();
    let mut connected = 0;
    for _ in 0..20_000 {
        if sockets.len() < 12 {
            sockets.push(TcpSocket::new(&net, IpFamily::V4).unwrap());
        }
        let known: Vec<_> = sockets
            .iter()
            .filter_map(|socket| socket.local_address().ok())
            .collect();
        let at = *pick(&mut numbers, &mut addresses(&known)).unwrap();
        let what = numbers.below(16);
        if let Some(pair) = pick(&mut numbers, &mut streams)
            && what > 10
        {
            use_stream(&mut numbers, pair);
            continue;
        }
        let chosen = numbers.below(sockets.len());
        let socket = &mut sockets[chosen];
        let result = match what {
            0 => now(socket.start_bind(&net, at)),
            1 => socket.finish_bind(),
            2 => now(socket.start_connect(&net, at)),
            3 => socket.finish_connect().map(|pair| {
                connected += 1;
                streams.push(pair);
            }),
            4 => socket.start_listen(),
            5 => socket.finish_listen(),
            6 => socket.accept(&net).map(|(accepted, pair)| {
                streams.push(pair);
                sockets.push(accepted);
            }),
            7 => socket.set_listen_backlog_size(numbers.below(3) as u64),
            8 if numbers.below(4) == 0 => socket.connection().and_then(|c| c.shut_send()),
            9 if numbers.below(4) == 0 => socket.connection().and_then(|c| c.shut_receive()),
            10 if numbers.below(4) == 0 => {
                sockets.swap_remove(chosen);
                Ok(())
            }
            _ => {
                poll(socket);
                socket.fd().map(drop)
            }
        };
        assert_ne!(result, Err(SocketErrorCode::Unknown));
        if streams.len() > 12 {
            let gone = numbers.below(streams.len());
            streams.swap_remove(gone);
        }
    }
    assert!(connected > 10, "{connected}");
}

#[test]
fn udp_sockets_answer_anything() {
    let net: NetCtx = net(&["udp:127.0.0.1:*"]);
    let mut numbers = Numbers(2);
    let mut sockets: Vec<UdpSocket> = Vec::new();
    let (mut incoming, mut outgoing) = (Vec::new(), Vec::new());
    let (mut sent, mut received) = (0, 0);
    for _ in 0..20_000 {
        if sockets.len() < 5 {
            sockets.push(UdpSocket::new(&net, IpFamily::V4).unwrap());
        }
        let known: Vec<_> = sockets
            .iter()
            .filter_map(|socket| socket.local_address().ok())
            .collect();
        let at = *pick(&mut numbers, &mut addresses(&known)).unwrap();
        let remote = (numbers.below(2) == 0).then_some(at);
        let what = numbers.below(14);
        let chosen = numbers.below(sockets.len());
        let result = match what {
            0 => now(sockets[chosen].start_bind(&net, at)),
            1 => sockets[chosen].finish_bind(),
            2 => now(sockets[chosen].stream(&net, remote)).map(|(i, o)| {
                incoming.push(i);
                outgoing.push(o);
            }),
            3 => {
                poll(&mut sockets[chosen]);
                sockets[chosen].remote_address().map(drop)
            }
            4 if numbers.below(20) == 0 => {
                sockets.swap_remove(chosen);
                Ok(())
            }
            5..8 => pick(&mut numbers, &mut incoming).map_or(Ok(()), |stream| {
                poll(stream);
                stream.receive(3).map(|all| received += all.len())
            }),
            _ => pick(&mut numbers, &mut outgoing).map_or(Ok(()), |stream| {
                poll(stream);
                let permits = stream.check_send()?;
                let count = permits.min(2);
                stream.take_permit(count).unwrap();
                let datagrams: Vec<_> = (0..count)
                    .map(|_| ToSend {
                        data: vec![1; 10],
                        to: remote,
                    })
                    .collect();
                now(stream.send(&net, &datagrams)).map(|n| sent += n)
            }),
        };
        assert_ne!(result, Err(SocketErrorCode::Unknown));
        incoming.truncate(20);
        outgoing.truncate(20);
        if numbers.below(50) == 0 {
            incoming.clear();
            outgoing.clear();
        }
    }
    assert!(sent > 100 && received > 10, "{sent} {received}");
}
