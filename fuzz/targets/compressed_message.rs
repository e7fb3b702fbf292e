//! See `hubwire_fuzz::compressed_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hubwire_fuzz::compressed_message::check(input));
