//! Everything that is tested through more than one crate.
//!
//! This package holds the house rules (`rust/tidy.rs`), sessions in virtual time (`rust/session/`), the compile errors (`rust/ui.rs`), the README's server (`rust/readme.rs`), the server that the scenarios in Node talk to (`src/bin/test-server`), and the scenarios themselves (`scenarios/`, `*.test.mjs`).

/// What docs/testing.md shows in Rust compiles and passes.
#[cfg(doctest)]
#[doc = include_str!("../../docs/data-types.md")]
pub mod data_types {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/testing.md")]
pub mod testing_page {}

/// What docs/migrating-from-signalr.md shows in Rust compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/migrating-from-signalr.md")]
pub mod migrating_page {}
