//! See `tacenda_fuzz::targets::journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::journal::run(input));
