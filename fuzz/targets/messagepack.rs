//! See `hubwire_fuzz::messagepack`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hubwire_fuzz::messagepack::check(input));
