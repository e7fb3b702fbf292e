//! Everything that is tested through more than one crate.
//!
//! This package holds the house rules (`rust/tidy.rs`), the compile errors (`rust/ui.rs`), the server that the scenarios in Node talk to (`src/bin/test-server`), and the scenarios themselves (`scenarios/`, `*.test.mjs`).
