//! See `hubwire_fuzz::json_protocol`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hubwire_fuzz::json_protocol::check(input));
