//! A certificate that nobody has seen before, for the address of the tests.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;

/// What the server speaks TLS with; actix-web adds the protocols that it offers, `h2` first.
pub fn config() -> io::Result<ServerConfig> {
    let own =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).map_err(io::Error::other)?;
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).map_err(io::Error::other)?;
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key)
        })
        .map_err(io::Error::other)
}
