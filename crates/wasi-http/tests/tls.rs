//! Requests over TLS, to servers with certificates of an authority made here.

mod common;

use common::authority::authority;
use common::{client, describe, listen, serve1, serve2};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use wharf_wasi_http::{HttpClient, HttpPolicy, TlsRoots, WasiHttpCtx};

async fn server(config: Arc<ServerConfig>) -> SocketAddr {
    listen(move |stream| {
        let acceptor = TlsAcceptor::from(config.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => serve2(stream, describe).await,
                _ => serve1(stream, describe).await,
            }
        }
    })
    .await
}

async fn get(host: &str, address: SocketAddr, roots: TlsRoots) -> String {
    let base = format!("https://{host}:{}", address.port());
    let policy = HttpPolicy::new().allow(&base).unwrap();
    let client_of = HttpClient::builder().policy(policy).roots(roots).build().unwrap();
    client(
        &[
            "POST",
            &format!("{base}/x"),
            "--body",
            "abc",
            "--quiet",
            "--times",
            "2",
        ],
        |state| {
            state.http = WasiHttpCtx::with_client(client_of);
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_by_agreement() {
    for alpn in [&["h2", "http/1.1"][..], &["http/1.1"], &[]] {
        let (ca, config) = authority(&["localhost", "127.0.0.1"], alpn);
        let address = server(config).await;
        for host in ["localhost", "127.0.0.1"] {
            let out = get(host, address, TlsRoots::Pem(ca.clone().into_bytes())).await;
            let line = format!("POST /x {host}:{} - 3", address.port());
            assert_eq!(out.matches(&line).count(), 2, "{alpn:?} {out}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_not_trusted() {
    let (_, config) = authority(&["localhost"], &[]);
    let (other, _) = authority(&["localhost"], &[]);
    let address = server(config).await;
    for roots in [TlsRoots::Pem(other.into_bytes()), TlsRoots::Bundled] {
        let out = get("localhost", address, roots).await;
        assert_eq!(out, "error: ErrorCode::TlsCertificateError\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_have_to_name_the_host() {
    let (ca, config) = authority(&["example.org"], &[]);
    let address = server(config).await;
    let out = get("localhost", address, TlsRoots::Pem(ca.into_bytes())).await;
    assert_eq!(out, "error: ErrorCode::TlsCertificateError\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls() {
    let address = listen(|stream| serve1(stream, describe)).await;
    let out = get("localhost", address, TlsRoots::Bundled).await;
    assert_eq!(out, "error: ErrorCode::TlsProtocolError\n");
}
