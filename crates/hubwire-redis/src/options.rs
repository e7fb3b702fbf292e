//! What a connection to Redis can be told.

use std::fmt;
use std::time::Duration;

use hubwire_transport::OptionsError;

/// Where Redis is, and limits and times of the connection to it.
///
/// ```
/// use hubwire_redis::RedisOptions;
///
/// let options = RedisOptions::new("redis://:secret@redis.example.com/").prefix("shop");
/// assert!(options.validate().is_ok());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// Where Redis is.
    pub url: String,
    /// How long connecting to Redis, or an answer of it, may take.
    pub timeout: Duration,
    /// The beginning of the names of all channels.
    pub prefix: String,
    /// How many messages wait for Redis at most.
    pub queue_messages: usize,
    /// How many bytes of messages wait for Redis at most.
    pub queue_bytes: usize,
    /// What happens to a message for which there is no room.
    pub overflow: Overflow,
    /// The longest pause between two attempts to connect to Redis.
    pub reconnect_delay: Duration,
    /// What a hub is whose name another one of this process has.
    pub same_names: SameNames,
    /// The certificates, in PEM, of those who may vouch for Redis; none: those whom the system trusts.
    #[cfg(feature = "rustls")]
    pub root_certificates: Option<Vec<u8>>,
    /// What Redis is shown of this client: nothing, unless it asks for certificates.
    #[cfg(feature = "rustls")]
    pub client_certificate: Option<ClientCertificate>,
}

/// What shows Redis who its client is.
#[cfg(feature = "rustls")]
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// Its certificate, in PEM, and those that lead from there to a root.
    pub chain: Vec<u8>,
    /// Its key, in PEM.
    pub key: Vec<u8>,
}

/// What a hub is that has the name of another one in the same process, on a Redis with the same address and prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameNames {
    /// A mistake: it cannot be built. Two hubs that know nothing of each other would take each other for servers.
    Refused,
    /// Another server of that hub, if it is on another connection: for tests and trials with several servers in one process.
    OtherServers,
}

/// What happens when more is sent than Redis takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// What is sent is dropped, and what waits is kept.
    DropNewest,
    /// What has waited longest is dropped.
    DropOldest,
}

impl RedisOptions {
    /// The defaults for the Redis at this address: `redis://[user:password@]host[:port][/database]`, or `rediss://` with the feature `rustls`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout: Duration::from_secs(5),
            prefix: "hubwire".to_owned(),
            queue_messages: 10_000,
            queue_bytes: 16 << 20,
            overflow: Overflow::DropNewest,
            reconnect_delay: Duration::from_secs(2),
            same_names: SameNames::Refused,
            #[cfg(feature = "rustls")]
            root_certificates: None,
            #[cfg(feature = "rustls")]
            client_certificate: None,
        }
    }

    /// Sets how long connecting to Redis, or an answer of it, may take; then the connection counts as lost.
    ///
    /// Default 5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the beginning of the names of all channels, which keeps applications apart that share a Redis.
    ///
    /// Default `hubwire`. No prefix may begin with another one and a colon.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how many messages wait for Redis at most.
    ///
    /// Default 10,000: a fraction of a second of what a Redis takes.
    #[must_use]
    pub fn queue_messages(mut self, messages: usize) -> Self {
        self.queue_messages = messages;
        self
    }

    /// Sets how many bytes of messages wait for Redis at most; a longer message passes when nothing waits.
    ///
    /// Default 16 MiB.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Sets what happens to messages for which there is no room. Sends never wait; whoever awaits a `Delivery` waits for room.
    ///
    /// Default [`Overflow::DropNewest`].
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Sets the longest pause between two attempts to connect to Redis; the first ones are shorter.
    ///
    /// Default 2 s.
    #[must_use]
    pub fn reconnect_delay(mut self, delay: Duration) -> Self {
        self.reconnect_delay = delay;
        self
    }

    /// Sets what a hub is whose name another one of this process has.
    ///
    /// Default [`SameNames::Refused`].
    #[must_use]
    pub fn same_names(mut self, same_names: SameNames) -> Self {
        self.same_names = same_names;
        self
    }

    /// Sets the certificates, in PEM, of those who may vouch for a Redis at `rediss://`: a private authority, say.
    ///
    /// Default: those whom the system trusts. The host of the address must be in the certificate of Redis in any case.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// Sets what Redis is shown of this client, where it asks for certificates (`tls-auth-clients`, its default): a chain and its key, in PEM.
    ///
    /// Default: nothing.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn client_certificate(
        mut self,
        chain: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.client_certificate = Some(ClientCertificate { chain: chain.into(), key: key.into() });
        self
    }

    /// A client of the Redis at the address, which may be none.
    pub(crate) fn client(&self) -> Result<redis::Client, redis::RedisError> {
        #[cfg(feature = "rustls")]
        if self.root_certificates.is_some() || self.client_certificate.is_some() {
            let root_cert = self.root_certificates.clone();
            let client_tls =
                self.client_certificate.as_ref().map(|ClientCertificate { chain, key }| {
                    let (client_cert, client_key) = (chain.clone(), key.clone());
                    redis::ClientTlsConfig { client_cert, client_key }
                });
            let certificates = redis::TlsCertificates { client_tls, root_cert };
            return redis::Client::build_with_tls(self.url.as_str(), certificates);
        }
        redis::Client::open(self.url.as_str())
    }

    /// Checks every option but the address and certificates.
    ///
    /// # Errors
    ///
    /// The first option that makes no sense.
    pub fn validate(&self) -> Result<(), OptionsError> {
        for (option, value) in
            [("timeout", self.timeout), ("reconnect_delay", self.reconnect_delay)]
        {
            let shown = format_args!("{value:?}");
            OptionsError::unless(!value.is_zero(), option, &shown, "it must be longer than zero")?;
        }
        for (option, value) in
            [("queue_messages", self.queue_messages), ("queue_bytes", self.queue_bytes)]
        {
            OptionsError::unless(value > 0, option, &value, "with 0 nothing is ever sent")?;
        }
        Ok(())
    }
}

impl From<&str> for RedisOptions {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<String> for RedisOptions {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

/// Without the key.
#[cfg(feature = "rustls")]
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// Without the address, which may hold a password, and certificates.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .field("queue_messages", &self.queue_messages)
            .field("queue_bytes", &self.queue_bytes)
            .field("overflow", &self.overflow)
            .field("reconnect_delay", &self.reconnect_delay)
            .field("same_names", &self.same_names)
            .finish_non_exhaustive()
    }
}
