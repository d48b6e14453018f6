//! What TCP sockets answer in each of their states.

use crate::wit::*;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::tcp::ShutdownType;

/// Goes through the states of a server and its client.
pub fn states() -> Result<()> {
    let loopback = v4(127, 0, 0, 1, 0);
    let server = tcp(IpAddressFamily::Ipv4);
    show("unbound", &server);
    server.start_bind(&instance_network(), loopback)?;
    println!("  a second start-bind: {}", told(server.start_bind(&instance_network(), loopback)));
    server.finish_bind()?;
    show("bound", &server);
    listen(&server)?;
    show("listening", &server);
    println!("  accept: {}", told(server.accept()));

    let client = tcp(IpAddressFamily::Ipv4);
    let (input, output) = connect(&client, server.local_address()?)?;
    show("connected", &client);
    let (accepted, server_input, server_output) = accept(&server)?;
    println!("  accepted from the client: {}", same(accepted.remote_address()?, client.local_address()?));

    output.blocking_write_and_flush(b"to the server").expect("written");
    println!("received: {:?}", String::from_utf8_lossy(&server_input.blocking_read(100).expect("read")));
    println!("shutdown send: {}, again {}", told(client.shutdown(ShutdownType::Send)), told(client.shutdown(ShutdownType::Send)));
    println!("check-write then: {:?}", output.check_write());
    println!("the server reads: {:?}", server_input.blocking_read(1));
    server_output.blocking_write_and_flush(b"to the client").expect("written");
    println!("moved to nobody: {:?}", server_output.blocking_splice(&server_input, 10));
    println!("received: {:?}", String::from_utf8_lossy(&input.blocking_read(100).expect("read")));
    println!("shutdown receive: {}", told(client.shutdown(ShutdownType::Receive)));
    println!("the client reads: {:?}", input.read(1));
    println!("shutdown both: {}", told(accepted.shutdown(ShutdownType::Both)));

    let refused = tcp(IpAddressFamily::Ipv4);
    let nobody = {
        let gone = tcp(IpAddressFamily::Ipv4);
        bind(&gone, loopback)?;
        gone.local_address()?
    };
    println!("connect to nobody: {}", told(connect(&refused, nobody)));
    show("closed", &refused);
    Ok(())
}

/// The operations that change nothing where they fail.
fn show(state: &str, socket: &TcpSocket) {
    println!("{state}:");
    println!("  finish-bind: {}", told(socket.finish_bind()));
    println!("  finish-listen: {}", told(socket.finish_listen()));
    println!("  finish-connect: {}", told(socket.finish_connect()));
    println!("  local-address: {}", told(socket.local_address()));
    println!("  remote-address: {}", told(socket.remote_address()));
    println!("  is-listening: {}", socket.is_listening());
    println!("  set-listen-backlog-size: {}", told(socket.set_listen_backlog_size(5)));
    println!("  hop-limit: {}", told(socket.hop_limit()));
    println!("  ready: {}", socket.subscribe().ready());
    if state != "bound" && state != "unbound" {
        println!("  start-listen: {}", told(socket.start_listen()));
        println!("  start-bind: {}", told(socket.start_bind(&instance_network(), v4(127, 0, 0, 1, 0))));
        println!("  start-connect: {}", told(socket.start_connect(&instance_network(), v4(127, 0, 0, 1, 1))));
    }
    if state != "connected" {
        println!("  shutdown: {}", told(socket.shutdown(ShutdownType::Both)));
    }
}

fn same(a: IpSocketAddress, b: IpSocketAddress) -> bool {
    format!("{a:?}") == format!("{b:?}")
}
