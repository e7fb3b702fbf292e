//! See `hubwire_fuzz::polls`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hubwire_fuzz::polls::check(input));
