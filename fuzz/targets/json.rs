#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant("json"), |octets: &[u8]| fuzz::json(octets));
