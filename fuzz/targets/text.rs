#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant("text"), |octets: &[u8]| fuzz::text(octets));
