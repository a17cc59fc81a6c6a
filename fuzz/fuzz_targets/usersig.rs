//! Any text may be given as a UserSig: it is read or refused, without panic and in bounded memory.

#![no_main]

use botroupe::proto::usersig;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(claims) = usersig::inspect(text) {
        assert!(claims.expires_at() >= claims.issued_at);
    }
});
