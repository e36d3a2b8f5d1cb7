//! See `tacenda_fuzz::targets::code`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::code::run(input));
