//! See `tacenda_fuzz::targets::scan`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::scan::run(input));
