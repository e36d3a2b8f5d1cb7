//! See `tacenda_fuzz::targets::protected`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::protected::run(input));
