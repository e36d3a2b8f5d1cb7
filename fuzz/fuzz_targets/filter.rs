//! See `tacenda_fuzz::targets::filter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::filter::run(input));
