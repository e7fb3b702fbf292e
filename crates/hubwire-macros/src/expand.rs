//! Writes what was understood, and decides nothing.
//!
//! Every path starts with `::hubwire::__private`, `::core` or `::std`, so that nothing in the user's
//! scope changes what it means.

mod client;
mod hub;
#[cfg(test)]
mod tests;

pub(crate) use self::{client::client, hub::hub};
