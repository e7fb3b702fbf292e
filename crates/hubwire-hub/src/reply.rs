//! What methods may return.

use std::future::Future;
use std::ops::Deref;

use serde::Serialize;

use crate::call::Call;
use crate::definition::HubDefinition;
use crate::error::{HubError, HubResult};

/// Marks a method that returns a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value;

/// Marks a method that returns a `Result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallible;

/// Tells whether what a method returned is a `Result`, by its type: a macro sees only names, and a `SearchResult` may
/// be a value as well as an alias may be a `Result`.
///
/// `Probe(&returned).reply_marker()` is the method below for a `Result`; for any other type the compiler goes on to
/// what a probe derefs to, [`Value`], and finds the method there.
/// That asks nothing of the type, and needs no trait in the user's scope: types are refused by [`IntoReply`] and
/// [`IntoOutcome`] alone, in their own words.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

impl<T, E> Probe<'_, Result<T, E>> {
    /// It is a `Result`.
    pub fn reply_marker(&self) -> Fallible {
        Fallible
    }
}

impl<T> Deref for Probe<'_, T> {
    type Target = Value;

    fn deref(&self) -> &Value {
        &Value
    }
}

impl Value {
    /// It is no `Result`, or the probe would have answered.
    pub fn reply_marker(&self) -> Self {
        *self
    }
}

/// What a hub method may return: a value that serde serializes, or a `Result` of one.
///
/// The marker, which a [`Probe`] gives, keeps the two apart, since a `Result` can be serialized too.
#[diagnostic::on_unimplemented(
    message = "a hub method cannot return `{Self}`",
    label = "not a reply of a hub method",
    note = "put `#[derive(serde::Serialize)]` on the type of the value, and on those inside it",
    note = "the error of a `Result` is `HubError` or implements `std::error::Error`"
)]
pub trait IntoReply<Marker, H: HubDefinition>: Sized {
    /// Answers the call. The marker comes first, so that a type that is refused is refused once, with its marker known.
    fn reply(marker: Marker, returned: Self, call: &Call<H>) -> impl Future<Output = ()>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize, H: HubDefinition> IntoReply<Value, H> for T {
    async fn reply(_: Value, returned: Self, call: &Call<H>) {
        call.complete(&returned);
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize, E: Into<HubError>, H: HubDefinition> IntoReply<Fallible, H> for Result<T, E> {
    async fn reply(_: Fallible, returned: Self, call: &Call<H>) {
        match returned {
            Ok(value) => call.complete(&value),
            Err(error) => call.fail(error.into()),
        }
    }
}

/// What `on_connected` and `on_disconnected` may return: nothing, or a `Result` of nothing.
#[diagnostic::on_unimplemented(
    message = "`on_connected` and `on_disconnected` cannot return `{Self}`",
    label = "neither `HubResult<()>` nor nothing",
    note = "return `HubResult<()>` or nothing: there is no call to answer with a value",
    note = "the error of a `Result` is `HubError` or implements `std::error::Error`"
)]
pub trait IntoOutcome<Marker>: Sized {
    /// Whether it went well.
    ///
    /// # Errors
    ///
    /// When it did not.
    fn outcome(marker: Marker, returned: Self) -> HubResult<()>;
}

#[diagnostic::do_not_recommend]
impl IntoOutcome<Value> for () {
    fn outcome(_: Value, returned: Self) -> HubResult<()> {
        Ok(returned)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<HubError>> IntoOutcome<Fallible> for Result<(), E> {
    fn outcome(_: Fallible, returned: Self) -> HubResult<()> {
        returned.map_err(E::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = Result<u8, String>;
    struct SearchResult;

    #[test]
    fn a_probe_goes_by_the_type() {
        assert_eq!(Probe(&Answer::Ok(1)).reply_marker(), Fallible);
        assert_eq!(Probe(&SearchResult).reply_marker(), Value);
        assert_eq!(Probe(&()).reply_marker(), Value);
        assert_eq!(Probe(&&Answer::Ok(1)).reply_marker(), Value);
    }
}
