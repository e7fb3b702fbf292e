//! See `hubwire_fuzz::frame_decoder`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hubwire_fuzz::frame_decoder::check(input));
