//! The test kit that users of Hubwire write their tests with.

mod failures;
mod hub;
mod outside;
mod runtimes;
mod scenes;
