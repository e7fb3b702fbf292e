//! Options that make no sense, and times in ticks.

use std::time::Duration;

use thiserror::Error;

use crate::EndpointOptions;

/// An option that makes no sense, and what would.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("option `{option}` is {value}: {rule}")]
pub struct OptionsError {
    /// The option's name.
    pub option: &'static str,
    /// The value that it was given.
    pub value: String,
    /// What it must be.
    pub rule: &'static str,
}

impl EndpointOptions {
    /// Checks every option.
    ///
    /// # Errors
    ///
    /// The first option that makes no sense.
    pub fn validate(&self) -> Result<(), OptionsError> {
        const SIZE: &str = "it must be at least 1 byte";
        const TIME: &str = "it must be longer than zero";
        let sizes = [
            ("application_max_buffer_size", self.application_max_buffer_size),
            ("max_backlog", self.max_backlog),
            ("max_frame_size", self.max_frame_size),
            ("transport_max_buffer_size", self.transport_max_buffer_size),
        ];
        for (option, value) in sizes {
            OptionsError::unless(value > 0, option, &value, SIZE)?;
        }
        let limits = [
            ("max_connections", self.max_connections),
            ("max_connections_per_address", self.max_connections_per_address),
            ("max_pending_negotiations", self.max_pending_negotiations),
        ];
        for (option, value) in limits {
            OptionsError::unless(value != Some(0), option, &0, "0 would keep everybody out")?;
        }
        let times = [
            ("close_timeout", self.close_timeout),
            ("disconnect_timeout", self.disconnect_timeout),
            ("heartbeat_interval", self.heartbeat_interval),
            ("poll_timeout", self.poll_timeout),
            ("post_timeout", self.post_timeout),
            ("short_polling_timeout", self.short_polling_timeout),
            ("transport_send_timeout", self.transport_send_timeout),
        ];
        for (option, value) in times {
            OptionsError::unless(!value.is_zero(), option, &format_args!("{value:?}"), TIME)?;
        }
        if let Some(compression) = self.compression {
            OptionsError::unless(
                (9..=15).contains(&compression.window_bits),
                "compression.window_bits",
                &compression.window_bits,
                "it must be 9 to 15",
            )?;
            OptionsError::unless(
                cfg!(feature = "deflate"),
                "compression",
                &"set",
                "it needs the feature `deflate` of hubwire",
            )?;
        }
        let optional_times = [
            ("web_socket_ping_interval", self.web_socket_ping_interval),
            ("web_socket_ping_timeout", self.web_socket_ping_timeout),
        ];
        for (option, value) in optional_times {
            OptionsError::unless(value != Some(Duration::ZERO), option, &"0ns", TIME)?;
        }
        OptionsError::unless(
            self.web_socket_ping_timeout.is_none() || self.web_socket_ping_interval.is_some(),
            "web_socket_ping_timeout",
            &format_args!("{:?}", self.web_socket_ping_timeout.unwrap_or_default()),
            "it needs web_socket_ping_interval, or there is no Ping to answer",
        )?;
        OptionsError::unless(
            !self.transports.is_empty(),
            "transports",
            &"empty",
            "there must be at least one, or nobody can connect",
        )?;
        OptionsError::unless(
            self.transport_max_buffer_size <= self.max_backlog,
            "transport_max_buffer_size",
            &self.transport_max_buffer_size,
            "it must not be over max_backlog, or clients are closed before anyone waits for them",
        )?;
        OptionsError::unless(
            (0..=1).contains(&self.minimum_protocol_version),
            "minimum_protocol_version",
            &self.minimum_protocol_version,
            "it must be 0 or 1, the versions of negotiate that exist",
        )
    }
}

impl OptionsError {
    /// An error about `option` unless `holds`.
    ///
    /// # Errors
    ///
    /// That error.
    pub fn unless(
        holds: bool,
        option: &'static str,
        value: &dyn std::fmt::Display,
        rule: &'static str,
    ) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self { option, value: value.to_string(), rule }) }
    }
}

/// A time in whole ticks of a second, at least one: `tick`s are the only clock that connections have.
///
/// Rounded up, so that nothing ends before its time.
pub fn ticks(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1)
}
