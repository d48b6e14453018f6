//! Connections to Redis servers with TLS.
//!
//! They are made here, and not by the crate for Redis, so that the embedder says whom to trust, and with which
//! implementation of the algorithms.

use crate::error::{StoreError, StoreResult};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisResult};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How a server is connected to with TLS.
pub(super) struct Tls {
    connector: TlsConnector,
    host: String,
    port: u16,
    name: ServerName<'static>,
}

impl Tls {
    /// The same server without TLS, for its address and what it is asked first, and how to connect to it.
    pub(super) fn new(url: &str, config: Arc<ClientConfig>) -> StoreResult<(Client, Tls)> {
        let malformed = || StoreError::Io("expected rediss://HOST[:PORT][/DATABASE]".to_owned());
        let rest = url.strip_prefix("rediss:").ok_or_else(malformed)?;
        // Other programs take `#insecure` for leave to trust anybody.
        if rest.contains('#') {
            return Err(malformed());
        }
        let client = Client::open(format!("redis:{rest}")).map_err(|e| StoreError::Io(e.to_string()))?;
        let ConnectionAddr::Tcp(host, port) = client.get_connection_info().addr().clone() else {
            return Err(malformed());
        };
        let name = ServerName::try_from(host.clone()).map_err(|_| malformed())?;
        let tls = Tls {
            connector: TlsConnector::from(config),
            host,
            port,
            name,
        };
        Ok((client, tls))
    }

    /// A connection.
    pub(super) async fn connect(
        &self,
        client: &Client,
        config: AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let stream = self
            .connector
            .connect(self.name.clone(), stream)
            .await
            .map_err(refused)?;
        let settings = client.get_connection_info().redis_settings();
        let (connection, driver) = MultiplexedConnection::new_with_config(settings, stream, config).await?;
        tokio::spawn(driver);
        Ok(connection)
    }
}

/// A server that is not trusted can't be reached.
fn refused(error: io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, error)
}
