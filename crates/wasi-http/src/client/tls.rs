//! Which servers are trusted.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::Arc;

/// The certificate authorities that vouch for servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsRoots {
    /// Those of Mozilla's list, which this crate carries.
    #[default]
    Bundled,
    /// Those of the operating system.
    System,
    /// Those in these certificates in PEM form, and no others.
    Pem(Vec<u8>),
}

/// Why an [`HttpClient`](crate::HttpClient) could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpClientError {
    /// There is no certificate authority that could be used.
    NoRoots(String),
    /// The PEM text can't be read.
    Pem(String),
    /// TLS can't be set up.
    Tls(String),
}

impl fmt::Display for HttpClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpClientError::NoRoots(e) => write!(f, "no certificate authorities: {e}"),
            HttpClientError::Pem(e) => write!(f, "malformed certificates: {e}"),
            HttpClientError::Tls(e) => write!(f, "TLS can't be set up: {e}"),
        }
    }
}

impl std::error::Error for HttpClientError {}

fn store(roots: &TlsRoots) -> Result<RootCertStore, HttpClientError> {
    let mut store = RootCertStore::empty();
    match roots {
        TlsRoots::Bundled => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        TlsRoots::System => {
            let found = rustls_native_certs::load_native_certs();
            // Systems have some that can't be used.
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
                return Err(HttpClientError::NoRoots(reasons.join("; ")));
            }
        }
        TlsRoots::Pem(text) => {
            for certificate in CertificateDer::pem_slice_iter(text) {
                let certificate = certificate.map_err(|e| HttpClientError::Pem(e.to_string()))?;
                store
                    .add(certificate)
                    .map_err(|e| HttpClientError::Pem(e.to_string()))?;
            }
            if store.is_empty() {
                return Err(HttpClientError::NoRoots("the text has none".to_owned()));
            }
        }
    }
    Ok(store)
}

impl TlsRoots {
    /// What TLS connections to servers that these authorities vouch for are made with, for other protocols than HTTP.
    ///
    /// # Errors
    /// When there is no authority that could be used.
    pub fn client_config(&self) -> Result<ClientConfig, HttpClientError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| HttpClientError::Tls(e.to_string()))?
            .with_root_certificates(store(self)?)
            .with_no_client_auth())
    }
}

/// What connections are made with. HTTP/2 is taken where the server has it.
pub(super) fn config(roots: &TlsRoots) -> Result<Arc<ClientConfig>, HttpClientError> {
    let mut config = roots.client_config()?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_of_each_kind() {
        assert!(config(&TlsRoots::Bundled).is_ok());
        assert!(matches!(
            config(&TlsRoots::Pem(b"nothing".to_vec())),
            Err(HttpClientError::NoRoots(_))
        ));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            config(&TlsRoots::Pem(broken.to_vec())),
            Err(HttpClientError::Pem(_))
        ));
    }
}
