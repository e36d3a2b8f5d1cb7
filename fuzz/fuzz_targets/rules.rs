//! See `tacenda_fuzz::targets::rules`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::rules::run(input));
