//! See `tacenda_fuzz::targets::decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::decode::run(input));
