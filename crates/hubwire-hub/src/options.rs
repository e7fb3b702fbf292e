//! What a hub can be told.

use std::time::Duration;

use hubwire_protocol::HubProtocol;
use hubwire_transport::OptionsError;

/// Limits and times of a hub, with the names and defaults of SignalR's `HubOptions`.
///
/// ```
/// use hubwire_hub::HubOptions;
/// use std::time::Duration;
///
/// let options = HubOptions::default()
///     .keep_alive_interval(Duration::from_secs(5))
///     .maximum_receive_message_size(Some(1 << 20))
///     .enable_detailed_errors(cfg!(debug_assertions));
/// assert!(options.validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubOptions {
    /// How long a client may take to give a result that the server asked it for.
    pub client_result_timeout: Option<Duration>,
    /// How long a client that has pinged may stay silent.
    pub client_timeout_interval: Duration,
    /// Whether clients get to read the errors of the server.
    pub enable_detailed_errors: bool,
    /// How long a client may take to send its handshake.
    pub handshake_timeout: Duration,
    /// How often clients are pinged.
    pub keep_alive_interval: Duration,
    /// How many streams of one client are open at the same time, in both directions together.
    pub maximum_open_streams_per_client: usize,
    /// How many calls of one client run at the same time.
    pub maximum_parallel_invocations_per_client: usize,
    /// The longest hub message that is accepted, in bytes with its framing.
    pub maximum_receive_message_size: Option<usize>,
    /// How much is kept for a client until it acknowledges, where connections outlive their sockets, in bytes.
    pub stateful_reconnect_buffer_size: usize,
    /// The hub protocols that clients may choose from.
    pub supported_protocols: Vec<HubProtocol>,
    /// How long a method may leave a client's stream unread while it holds up the connection.
    pub upload_stall_timeout: Duration,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            client_result_timeout: None,
            client_timeout_interval: Duration::from_secs(30),
            enable_detailed_errors: false,
            handshake_timeout: Duration::from_secs(15),
            keep_alive_interval: Duration::from_secs(15),
            maximum_open_streams_per_client: 100,
            maximum_parallel_invocations_per_client: 1,
            maximum_receive_message_size: Some(32 * 1024),
            stateful_reconnect_buffer_size: 100_000,
            supported_protocols: HubProtocol::ALL.to_vec(),
            upload_stall_timeout: Duration::from_secs(30),
        }
    }
}

impl HubOptions {
    /// Sets how long a client may take to give a result that the server asked it for; `None` as long as it is connected.
    ///
    /// Default `None`: a person who is asked may take their time. Counted in whole seconds.
    /// [`ClientResult::timeout`](crate::ClientResult::timeout) sets it for one question.
    #[must_use]
    pub fn client_result_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.client_result_timeout = timeout;
        self
    }

    /// Sets how long a client that has pinged once may stay silent before it is closed.
    ///
    /// Default 30 s: twice the interval at which the official clients ping. Counted in whole seconds.
    #[must_use]
    pub fn client_timeout_interval(mut self, interval: Duration) -> Self {
        self.client_timeout_interval = interval;
        self
    }

    /// Sets whether clients get to read errors that are not meant for them, with their kind.
    ///
    /// Default `false`: the text of an error may tell a stranger what the server is made of.
    #[must_use]
    pub fn enable_detailed_errors(mut self, enable: bool) -> Self {
        self.enable_detailed_errors = enable;
        self
    }

    /// Sets how long a client may take to send its handshake.
    ///
    /// Default 15 s. Counted in whole seconds.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Sets how often clients are pinged.
    ///
    /// Default 15 s: half of the time after which the official clients give up on a silent server. Counted in whole seconds.
    #[must_use]
    pub fn keep_alive_interval(mut self, interval: Duration) -> Self {
        self.keep_alive_interval = interval;
        self
    }

    /// Sets how many streams of one client are open at the same time, those that it receives and those that it sends
    /// together; a call that would open more is answered with an error.
    ///
    /// Default 100: no page needs as many, and each costs about a kilobyte beside what it carries.
    #[must_use]
    pub fn maximum_open_streams_per_client(mut self, streams: usize) -> Self {
        self.maximum_open_streams_per_client = streams;
        self
    }

    /// Sets how many calls of one client run at the same time; further ones wait, in order.
    ///
    /// A call with a stream, in either direction, waits for its turn like any other, but keeps none: it may go on for hours.
    ///
    /// Default 1: calls of one client are handled one after another.
    #[must_use]
    pub fn maximum_parallel_invocations_per_client(mut self, calls: usize) -> Self {
        self.maximum_parallel_invocations_per_client = calls;
        self
    }

    /// Sets the longest hub message that is accepted, in bytes with its framing; `None` for any length.
    ///
    /// Default 32 KiB. A longer message closes its connection.
    #[must_use]
    pub fn maximum_receive_message_size(mut self, bytes: Option<usize>) -> Self {
        self.maximum_receive_message_size = bytes;
        self
    }

    /// Sets how many bytes of messages are kept for a client that does not acknowledge them, where the endpoint
    /// [allows](hubwire_transport::EndpointOptions::allow_stateful_reconnects) connections to outlive their sockets.
    ///
    /// Default 100,000, as in SignalR and its clients. While there are more, no further ones go out to that client, and others notice nothing; what waits then counts for `max_backlog`.
    /// A client that acknowledges nothing for `transport_send_timeout` meanwhile may have lost its link: its socket is closed, and
    /// if it comes back and acknowledges nothing again, it is closed as a slow consumer.
    ///
    /// Counted are the bytes of messages; keeping each costs about 130 more, and together they cost no more than this and `max_backlog`.
    /// From a client that sends faster than its calls run, up to twice as many bytes are read beyond `application_max_buffer_size`.
    ///
    /// A client that ignores its own limit, by not awaiting what it sends, is not read at some point, nor is what it says about the messages it has.
    /// Then it gets further messages that are not kept, and cannot come back until it has acknowledged them.
    #[must_use]
    pub fn stateful_reconnect_buffer_size(mut self, bytes: usize) -> Self {
        self.stateful_reconnect_buffer_size = bytes;
        self
    }

    /// Sets the hub protocols that clients may choose from; the handshake of a client that asks for another is refused.
    ///
    /// Default: all of this build. That is JSON alone, or with the feature `messagepack` both.
    ///
    /// ```
    /// use hubwire_hub::HubOptions;
    /// use hubwire_protocol::HubProtocol;
    ///
    /// let options = HubOptions::default().supported_protocols([HubProtocol::Json]);
    /// assert!(options.validate().is_ok());
    /// ```
    #[must_use]
    pub fn supported_protocols(mut self, protocols: impl Into<Vec<HubProtocol>>) -> Self {
        self.supported_protocols = protocols.into();
        self
    }

    /// Sets how long a method may leave a [`ClientStream`](crate::ClientStream) unread while nothing else of its
    /// connection is read because of that; then the stream ends with an error.
    ///
    /// Default 30 s. Counted in whole seconds. Up to `application_max_buffer_size` bytes an unread stream holds nothing
    /// up, and may stay unread for ever.
    #[must_use]
    pub fn upload_stall_timeout(mut self, timeout: Duration) -> Self {
        self.upload_stall_timeout = timeout;
        self
    }

    /// Checks every option.
    ///
    /// # Errors
    ///
    /// The first option that makes no sense.
    pub fn validate(&self) -> Result<(), OptionsError> {
        let times = [
            ("client_timeout_interval", self.client_timeout_interval),
            ("handshake_timeout", self.handshake_timeout),
            ("keep_alive_interval", self.keep_alive_interval),
            ("upload_stall_timeout", self.upload_stall_timeout),
        ];
        let limit = self.client_result_timeout.map(|timeout| ("client_result_timeout", timeout));
        for (option, value) in times.into_iter().chain(limit) {
            let shown = format_args!("{value:?}");
            OptionsError::unless(!value.is_zero(), option, &shown, "it must be longer than zero")?;
        }
        OptionsError::unless(
            self.maximum_parallel_invocations_per_client > 0,
            "maximum_parallel_invocations_per_client",
            &self.maximum_parallel_invocations_per_client,
            "it must be at least 1, or no call ever runs",
        )?;
        OptionsError::unless(
            self.stateful_reconnect_buffer_size > 0,
            "stateful_reconnect_buffer_size",
            &self.stateful_reconnect_buffer_size,
            "it must be at least 1 byte, or nothing is ever sent",
        )?;
        OptionsError::unless(
            !self.supported_protocols.is_empty(),
            "supported_protocols",
            &"none",
            "it must name at least one, or nobody can connect",
        )?;
        let size = self.maximum_receive_message_size;
        OptionsError::unless(
            size.is_none_or(|bytes| bytes > 0),
            "maximum_receive_message_size",
            &format_args!("{size:?}"),
            "it must be at least 1 byte, or None for any length",
        )
    }
}
