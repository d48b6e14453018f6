//! The options of sockets.

use crate::wit::*;

/// Sets and reads every option.
pub fn options() -> Result<()> {
    let socket = tcp(IpAddressFamily::Ipv4);
    socket.set_keep_alive_enabled(true)?;
    println!("keep-alive: {}", socket.keep_alive_enabled()?);
    socket.set_keep_alive_idle_time(5_000_000_000)?;
    socket.set_keep_alive_interval(1)?;
    socket.set_keep_alive_count(3)?;
    println!(
        "idle {} ns, interval {} ns, count {}",
        socket.keep_alive_idle_time()?,
        socket.keep_alive_interval()?,
        socket.keep_alive_count()?
    );
    socket.set_hop_limit(17)?;
    println!("hop limit: {}", socket.hop_limit()?);
    socket.set_receive_buffer_size(0x8000)?;
    socket.set_send_buffer_size(0x8000)?;
    println!("buffers: {} and {}", socket.receive_buffer_size()?, socket.send_buffer_size()?);
    println!("backlog: {}", told(socket.set_listen_backlog_size(3)));
    println!("family: {:?}", socket.address_family());
    println!("zeros:");
    let zeros = [
        ("keep-alive-idle-time", socket.set_keep_alive_idle_time(0)),
        ("keep-alive-interval", socket.set_keep_alive_interval(0)),
        ("keep-alive-count", socket.set_keep_alive_count(0)),
        ("hop-limit", socket.set_hop_limit(0)),
        ("receive-buffer-size", socket.set_receive_buffer_size(0)),
        ("send-buffer-size", socket.set_send_buffer_size(0)),
        ("listen-backlog-size", socket.set_listen_backlog_size(0)),
    ];
    for (name, result) in zeros {
        println!("  {name}: {}", told(result));
    }
    println!("most:");
    let most = [
        ("keep-alive-idle-time", socket.set_keep_alive_idle_time(u64::MAX)),
        ("keep-alive-interval", socket.set_keep_alive_interval(u64::MAX)),
        ("keep-alive-count", socket.set_keep_alive_count(u32::MAX)),
        ("hop-limit", socket.set_hop_limit(u8::MAX)),
        ("receive-buffer-size", socket.set_receive_buffer_size(u64::MAX)),
        ("send-buffer-size", socket.set_send_buffer_size(u64::MAX)),
        ("listen-backlog-size", socket.set_listen_backlog_size(u64::MAX)),
    ];
    for (name, result) in most {
        println!("  {name}: {}", told(result));
    }
    let bounded = socket.receive_buffer_size()? < 1 << 32 && socket.send_buffer_size()? < 1 << 32;
    println!("buffers are bounded: {bounded}");

    let socket = udp(IpAddressFamily::Ipv4);
    socket.set_unicast_hop_limit(9)?;
    socket.set_receive_buffer_size(0x8000)?;
    socket.set_send_buffer_size(0x8000)?;
    println!(
        "udp: hop limit {}, buffers {} and {}, zero {}, family {:?}",
        socket.unicast_hop_limit()?,
        socket.receive_buffer_size()?,
        socket.send_buffer_size()?,
        told(socket.set_unicast_hop_limit(0)),
        socket.address_family()
    );
    Ok(())
}
