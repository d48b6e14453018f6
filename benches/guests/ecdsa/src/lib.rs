//! `k256`: signatures on the curve secp256k1, made and checked.

use k256::ecdsa::{Signature, SigningKey, signature::{Signer, Verifier}};
use support::Sum;

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let Ok(key) = SigningKey::from_slice(&[0x2a; 32]) else { return 0 };
    for i in 0..n.max(0) as u32 * 40 {
        let message = i.to_le_bytes();
        let signature: Signature = key.sign(&message);
        if key.verifying_key().verify(&message, &signature).is_err() || key.verifying_key().verify(b"other", &signature).is_ok() {
            return 0;
        }
        sum.bytes(&signature.to_bytes());
    }
    sum.value()
}
