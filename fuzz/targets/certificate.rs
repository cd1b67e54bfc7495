#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant("certificate"), |octets: &[u8]| fuzz::certificate(octets));
