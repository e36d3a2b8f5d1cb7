//! See `tacenda_fuzz::targets::redact`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tacenda_fuzz::targets::redact::run(input));
