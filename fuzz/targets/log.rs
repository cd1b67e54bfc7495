#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant("log"), |octets: &[u8]| fuzz::log(octets));
