//! What methods may return.

use std::future::Future;

use serde::Serialize;

use crate::call::Call;
use crate::definition::HubDefinition;
use crate::error::HubError;

/// Marks a method that returns a value.
#[derive(Debug)]
pub struct Value;

/// Marks a method that returns a `Result`.
#[derive(Debug)]
pub struct Fallible;

/// What a hub method may return: a value that serde serializes, or a `Result` of one.
///
/// The marker keeps the two apart, since a `Result` can be serialized too.
#[diagnostic::on_unimplemented(
    message = "a hub method cannot return `{Self}`",
    label = "not a reply of a hub method",
    note = "put `#[derive(serde::Serialize)]` on the type of the value, and on those inside it",
    note = "a `Result`, whose name ends so, has an error that is `HubError` or implements `std::error::Error`"
)]
pub trait IntoReply<Marker, H: HubDefinition> {
    /// Answers the call.
    fn reply(self, call: &Call<H>) -> impl Future<Output = ()>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize, H: HubDefinition> IntoReply<Value, H> for T {
    async fn reply(self, call: &Call<H>) {
        call.complete(&self);
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize, E: Into<HubError>, H: HubDefinition> IntoReply<Fallible, H> for Result<T, E> {
    async fn reply(self, call: &Call<H>) {
        match self {
            Ok(value) => call.complete(&value),
            Err(error) => call.fail(&error.into()),
        }
    }
}
