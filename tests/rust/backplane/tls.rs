//! Redis over TLS: who is believed, on both ends.

use std::fs;
use std::path::PathBuf;

use hubwire_redis::{ConnectError, Redis, RedisOptions};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::house::{House, hub, options, wait_for};
use crate::kit::notification;
use crate::redis_server::RedisServer;

/// Somebody who vouches for others.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
struct Signed {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        // With the name of its authority it would look as if it had signed itself.
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Signed { certificate, key: key.serialize_pem() }
    }

    fn pem(&self) -> String {
        self.0.pem()
    }
}

/// A directory with the files of one Redis, gone with the test.
struct Files(PathBuf);

impl Files {
    fn new(name: &str, root: &Authority, own: &Signed) -> Self {
        let folder = std::env::temp_dir().join(format!("hubwire-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (file, pem) in
            [("root.pem", &root.pem()), ("own.pem", &own.certificate), ("key.pem", &own.key)]
        {
            fs::write(folder.join(file), pem).unwrap();
        }
        Self(folder)
    }

    /// A Redis that has them, and speaks to nobody without TLS.
    fn start(&self, clients: &str) -> Option<RedisServer> {
        let path = |file: &str| self.0.join(file).display().to_string();
        let (root, own, key) = (path("root.pem"), path("own.pem"), path("key.pem"));
        RedisServer::start_tls(&[
            ("--tls-ca-cert-file", &root),
            ("--tls-cert-file", &own),
            ("--tls-key-file", &key),
            ("--tls-auth-clients", clients),
        ])
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Why a connection is refused.
#[track_caller]
fn refusal(options: RedisOptions) -> ConnectError {
    wait_for(Redis::connect(options)).expect_err("it should not be connected")
}

#[test]
fn servers_meet_over_tls_with_whom_they_trust() {
    let root = Authority::new();
    let files = Files::new("meet", &root, &root.sign("127.0.0.1"));
    let Some(server) = files.start("no") else { return };
    let trusting = || options(&server).root_certificates(root.pem());
    let redis = [(); 2].map(|()| wait_for(Redis::connect(trusting())).unwrap());
    let mut house = House::open(redis.each_ref().map(hub), || {});
    house.hubs[0].clients().all().notify("safe");
    for id in ["a", "b", "c"] {
        assert_eq!(house.hears(id), notification("safe"));
    }

    // Neither another authority, nor whoever the system trusts, has ever heard of it.
    let stranger = options(&server).root_certificates(Authority::new().pem());
    for options in [stranger, options(&server)] {
        assert!(matches!(refusal(options), ConnectError::Unreachable(_)));
    }
    // A port that speaks TLS answers nobody who does not.
    let plain = RedisOptions::new(server.url().replace("rediss", "redis"));
    assert!(matches!(refusal(plain.clone()), ConnectError::Unreachable(_)));
    // Certificates that go with nothing are a mistake.
    assert!(matches!(refusal(plain.root_certificates(root.pem())), ConnectError::Address(_)));
}

#[test]
fn the_certificate_must_be_for_the_host() {
    let root = Authority::new();
    let files = Files::new("host", &root, &root.sign("redis.example"));
    let Some(server) = files.start("no") else { return };
    let refused = refusal(options(&server).root_certificates(root.pem()));
    assert!(matches!(refused, ConnectError::Unreachable(_)), "{refused:?}");
}

#[test]
fn a_redis_that_asks_for_certificates_is_shown_one() {
    let root = Authority::new();
    let files = Files::new("mutual", &root, &root.sign("127.0.0.1"));
    let Some(server) = files.start("yes") else { return };
    let trusting = || options(&server).root_certificates(root.pem());
    let Signed { certificate, key } = root.sign("client");
    let unknown = Authority::new().sign("client");
    wait_for(Redis::connect(trusting().client_certificate(certificate, key))).unwrap();
    let forged = trusting().client_certificate(unknown.certificate, unknown.key);
    for options in [trusting(), forged] {
        assert!(matches!(refusal(options), ConnectError::Unreachable(_)));
    }
}
