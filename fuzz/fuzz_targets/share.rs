//! See `tacenda_fuzz::targets::share`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::share::run(input));
