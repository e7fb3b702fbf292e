//! What is counted of calls, through the `metrics` facade.

use metrics::counter;

/// A client called a method, or something that is none: all of those share one tag, since clients choose what they send.
pub(crate) fn called(hub: &str, method: Option<&'static str>) {
    counter!("hubwire.invocations", "hub" => hub.to_owned(), "method" => method.unwrap_or("unknown"))
        .increment(1);
}

/// A call was answered with an error.
pub(crate) fn failed(hub: &str, method: impl FnOnce() -> Option<&'static str>) {
    let method = method().unwrap_or("unknown");
    counter!("hubwire.invocation_errors", "hub" => hub.to_owned(), "method" => method).increment(1);
}
