//! See `tacenda_fuzz::targets::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::policy::run(input));
