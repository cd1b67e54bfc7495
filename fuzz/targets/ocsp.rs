#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::plant("ocsp"), |octets: &[u8]| fuzz::ocsp(octets));
