//! A certificate of its own for each test, and who trusts it.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::sync::Arc;

use corio_net::tls::rustls::pki_types::PrivateKeyDer;
use corio_net::tls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

/// What the certificate is for.
pub const NAME: &str = "localhost";

pub struct Identity {
    made: CertifiedKey<KeyPair>,
}

impl Identity {
    pub fn new() -> Identity {
        let names = [NAME.to_owned(), "127.0.0.1".to_owned()];
        let made = generate_simple_self_signed(names).expect("names that are fine");
        Identity { made }
    }

    pub fn server(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![self.made.cert.der().clone()], key);
        Arc::new(config.expect("a certificate and its key"))
    }

    /// Trusts this certificate, and no other.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.made.cert.der().clone())
            .expect("a certificate");
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    pub fn certificate_pem(&self) -> String {
        self.made.cert.pem()
    }

    pub fn key_pem(&self) -> String {
        self.made.signing_key.serialize_pem()
    }
}
