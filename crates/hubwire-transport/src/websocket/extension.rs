//! permessage-deflate (RFC 7692) as a negotiation: what a client offers, and what it is granted.

use crate::Compression;

use super::deflate;

/// What was agreed on for one WebSocket. Our side never takes a context over, so that a message is compressed once for all who receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// The window that we compress with: 9 to 15 bits.
    pub server_bits: u8,
    /// The window that the client may compress with: 9 to 15 bits.
    pub client_bits: u8,
    /// What the client does between messages.
    pub client_context: ClientContext,
    /// Whether the client asked for a smaller window of ours, which must then be named.
    names_server_bits: bool,
}

/// What a client's compressor does between messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientContext {
    /// It forgets what it has seen: reading costs memory only while a message arrives.
    Forgotten,
    /// It goes on: messages are smaller, and reading costs memory for as long as the connection lasts.
    TakenOver,
}

impl Deflate {
    /// The first offer of a `Sec-WebSocket-Extensions` header that can be granted, or `None`.
    ///
    /// `may_take_over` is asked whether there is so much memory for the context of a client that would like to keep one.
    pub fn negotiate(
        header: &str,
        compression: &Compression,
        may_take_over: impl FnOnce(usize) -> bool,
    ) -> Option<Self> {
        if !deflate::IS_AVAILABLE {
            return None;
        }
        let offer = header.split(',').find_map(|offer| Offer::parse(offer.trim()))?;
        let limit = compression.window_bits;
        // A client that did not offer its window must not be told one, and may then use the largest.
        let client_bits = offer.client_bits.map_or(15, |bits| bits.min(limit));
        let keeps = !offer.client_no_context_takeover
            && may_take_over(Compression::context_size(client_bits));
        Some(Self {
            server_bits: offer.server_bits.unwrap_or(limit).min(limit),
            client_bits,
            client_context: match keeps {
                true => ClientContext::TakenOver,
                false => ClientContext::Forgotten,
            },
            names_server_bits: offer.server_bits.is_some() || limit < 15,
        })
    }

    /// The header that grants it.
    pub fn header(&self) -> String {
        let mut header = "permessage-deflate; server_no_context_takeover".to_owned();
        if self.client_context == ClientContext::Forgotten {
            header.push_str("; client_no_context_takeover");
        }
        if self.names_server_bits {
            header.push_str(&format!("; server_max_window_bits={}", self.server_bits));
        }
        if self.client_bits < 15 {
            header.push_str(&format!("; client_max_window_bits={}", self.client_bits));
        }
        header
    }
}

/// One offer that can be granted.
struct Offer {
    server_bits: Option<u8>,
    client_bits: Option<u8>,
    client_no_context_takeover: bool,
}

impl Offer {
    /// `None` where it is another extension, has a parameter that is unknown, twice there or out of range (RFC 7692 section 7.1), or asks us for a window of 8 bits, which zlib does not have.
    fn parse(offer: &str) -> Option<Self> {
        let mut parts = offer.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
            return None;
        }
        let mut parsed =
            Self { server_bits: None, client_bits: None, client_no_context_takeover: false };
        let mut server_no_context_takeover = false;
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                None => (part, None),
            };
            match (name.to_ascii_lowercase().as_str(), value) {
                ("client_max_window_bits", value) if parsed.client_bits.is_none() => {
                    // Eight bits of the client's are no trouble: a larger window reads them.
                    let bits = value.map_or(Some(15), |value| bits(value, 8))?;
                    parsed.client_bits = Some(bits.max(9));
                }
                ("client_no_context_takeover", None) if !parsed.client_no_context_takeover => {
                    parsed.client_no_context_takeover = true;
                }
                ("server_max_window_bits", Some(value)) if parsed.server_bits.is_none() => {
                    parsed.server_bits = Some(bits(value, 9)?);
                }
                ("server_no_context_takeover", None) if !server_no_context_takeover => {
                    server_no_context_takeover = true;
                }
                _ => return None,
            }
        }
        Some(parsed)
    }
}

/// A window of `least` to 15 bits, without leading zeros.
fn bits(value: &str, least: u8) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| (least..=15).contains(bits))?;
    (!value.starts_with(['0', '+'])).then_some(bits)
}

#[cfg(all(test, feature = "deflate"))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(offer: &str, granted: Option<&str>) {
        let deflate = Deflate::negotiate(offer, &Compression::default(), |_| true);
        assert_eq!(deflate.map(|deflate| deflate.header()).as_deref(), granted, "{offer}");
    }

    #[test]
    fn what_browsers_offer_is_granted() {
        let plain = "permessage-deflate; server_no_context_takeover";
        check("permessage-deflate; client_max_window_bits", Some(plain));
        check("permessage-deflate", Some(plain));
        check("x-webkit-deflate-frame, permessage-deflate", Some(plain));
        check(
            "permessage-deflate; client_no_context_takeover; server_max_window_bits=10",
            Some(&format!("{plain}; client_no_context_takeover; server_max_window_bits=10")),
        );
        check(
            "permessage-deflate; client_max_window_bits=10",
            Some(&format!("{plain}; client_max_window_bits=10")),
        );
        check(
            "permessage-deflate; client_max_window_bits=\"8\"",
            Some(&format!("{plain}; client_max_window_bits=9")),
        );
        check("permessage-deflate; server_max_window_bits=8, permessage-deflate", Some(plain));
    }

    #[test]
    fn what_breaks_the_rules_is_declined() {
        for offer in [
            "",
            "permessage-bzip2",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; client_max_window_bits=x",
            "permessage-deflate; client_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; unknown",
        ] {
            check(offer, None);
        }
    }

    #[test]
    fn a_context_needs_memory() {
        let granted = Deflate::negotiate("permessage-deflate", &Compression::default(), |_| false);
        let granted = granted.unwrap();
        assert_eq!(granted.client_context, ClientContext::Forgotten);
        assert!(granted.header().ends_with("; client_no_context_takeover"));
    }

    #[test]
    fn windows_are_no_larger_than_the_option_says() {
        let compression = Compression::default().window_bits(11);
        let granted = |offer| Deflate::negotiate(offer, &compression, |_| true).unwrap();
        let both = granted("permessage-deflate; client_max_window_bits");
        assert_eq!((both.server_bits, both.client_bits), (11, 11));
        assert!(both.header().ends_with("; server_max_window_bits=11; client_max_window_bits=11"));
        // The client cannot be told, and may use what it likes.
        assert_eq!(granted("permessage-deflate").client_bits, 15);
    }
}
