#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant("request"), |octets: &[u8]| fuzz::request(octets));
