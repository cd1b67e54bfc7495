#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant("peer"), |octets: &[u8]| fuzz::peer(octets));
