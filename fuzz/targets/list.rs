#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant("list"), |octets: &[u8]| fuzz::list(octets));
