//! Parses any text as a UserSig. It must succeed or fail without a panic, and in bounded memory.

#![no_main]

use botroupe::proto::usersig;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(claims) = usersig::inspect(text) {
        assert!(claims.expires_at() >= claims.issued_at);
    }
});
