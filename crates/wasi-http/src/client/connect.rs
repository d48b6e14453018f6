//! Making connections: names, addresses, TLS, and the version of HTTP.

use super::senders::Senders;
use super::{Connection, Inner, Target};
use crate::bindings::wasi::http::types::{DnsErrorPayload, ErrorCode};
use crate::body::HyperOutgoingBody;
use crate::error::{from_connect, from_hyper};
use crate::policy::{Scheme, parse_address};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsConnector;
use wharf_wasi::async_trait;

/// At most so many addresses of a name are tried.
const MAX_ADDRESSES: usize = 8;

/// The largest head of a response.
const MAX_HEAD: usize = 64 << 10;

/// The most fields in the head of a response.
const MAX_FIELDS: usize = 256;

/// Finds the addresses of names.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of a host's name; none if there is no such name.
    ///
    /// # Errors
    /// When the name can't be looked up.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
#[derive(Copy, Clone, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let addresses = tokio::net::lookup_host((name, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    }
}

/// The addresses that the policy lets a request go to.
async fn addresses(inner: &Inner, target: &Target) -> Result<Vec<SocketAddr>, ErrorCode> {
    let found = match parse_address(&target.host) {
        Some(address) => vec![address],
        None => {
            let name = target.host.strip_suffix('.').unwrap_or(&target.host);
            let unknown = |rcode: &str| {
                ErrorCode::DnsError(DnsErrorPayload {
                    rcode: Some(rcode.to_owned()),
                    info_code: None,
                })
            };
            inner.resolver.resolve(name).await.map_err(|e| match e.kind() {
                io::ErrorKind::TimedOut => ErrorCode::DnsTimeout,
                _ => unknown("address not available"),
            })?
        }
    };
    if found.is_empty() {
        return Err(ErrorCode::DestinationNotFound);
    }
    let permitted: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| target.grant.permits(*address))
        .map(|address| SocketAddr::new(address, target.port))
        .take(MAX_ADDRESSES)
        .collect();
    match permitted.is_empty() {
        true => Err(ErrorCode::DestinationIpProhibited),
        false => Ok(permitted),
    }
}

async fn tcp(inner: &Inner, target: &Target) -> Result<TcpStream, ErrorCode> {
    let mut last = ErrorCode::DestinationUnavailable;
    for address in addresses(inner, target).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Requests are written in few pieces; a delay of the last gains nothing.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(e) => last = from_connect(&e),
        }
    }
    Err(last)
}

/// Makes a connection, which holds the permit while it lives.
pub(super) async fn connect(
    inner: &Inner,
    target: &Target,
    permit: OwnedSemaphorePermit,
) -> Result<Connection, ErrorCode> {
    let stream = tcp(inner, target).await?;
    if target.scheme == Scheme::Http {
        return match target.grant.h2c() {
            true => handshake2(stream, permit).await,
            false => handshake1(stream, permit).await,
        };
    }
    let name = match parse_address(&target.host) {
        Some(address) => ServerName::IpAddress(address.into()),
        None => ServerName::try_from(target.host.trim_end_matches('.').to_owned())
            .map_err(|_| ErrorCode::HttpRequestUriInvalid)?,
    };
    let stream = TlsConnector::from(inner.tls.clone())
        .connect(name, stream)
        .await
        .map_err(|e| from_connect(&e))?;
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => handshake2(stream, permit).await,
        _ => handshake1(stream, permit).await,
    }
}

async fn handshake1<S>(stream: S, permit: OwnedSemaphorePermit) -> Result<Connection, ErrorCode>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .handshake::<_, HyperOutgoingBody>(TokioIo::new(stream))
        .await
        .map_err(|e| from_hyper(&e))?;
    tokio::spawn(async move {
        // Who waits for the connection learns of errors by itself.
        let _ = connection.await;
        drop(permit);
    });
    Ok(Connection::new(Senders::Http1(sender)))
}

async fn handshake2<S>(stream: S, permit: OwnedSemaphorePermit) -> Result<Connection, ErrorCode>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .max_header_list_size(MAX_HEAD as u32)
        .initial_stream_window_size(256 << 10)
        .initial_connection_window_size(1 << 20)
        .handshake::<_, HyperOutgoingBody>(TokioIo::new(stream))
        .await
        .map_err(|e| from_hyper(&e))?;
    tokio::spawn(async move {
        let _ = connection.await;
        drop(permit);
    });
    Ok(Connection::new(Senders::Http2(sender)))
}
