//! The signature of a message: HMAC-SHA256 over its four dictionaries.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::error::WireError;

/// Signs messages and verifies their signatures with the key of the connection file.
#[derive(Clone)]
pub struct Signer {
    /// The keyed hash before any input; `None` if the connection is not signed.
    keyed: Option<Hmac<Sha256>>,
}

impl Signer {
    /// Creates a signer for `key`. An empty key is how a connection file asks for an unsigned
    /// connection: nothing is signed, and every signature is accepted.
    pub fn new(key: &str) -> Self {
        let keyed = (!key.is_empty())
            .then(|| Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length"));
        Self { keyed }
    }

    /// The signature of `dictionaries` in lower-case hexadecimal; empty if nothing is signed.
    pub fn sign(&self, dictionaries: [&[u8]; 4]) -> String {
        let Some(hash) = self.hash(dictionaries) else {
            return String::new();
        };
        let digest = hash.finalize().into_bytes();
        digest
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
                hex
            })
    }

    /// Checks `signature`, in hexadecimal, against `dictionaries`, in constant time.
    pub fn verify(&self, signature: &[u8], dictionaries: [&[u8]; 4]) -> Result<(), WireError> {
        let Some(hash) = self.hash(dictionaries) else {
            return Ok(());
        };
        let digest = from_hex(signature).ok_or(WireError::BadSignature)?;
        hash.verify_slice(&digest)
            .map_err(|_| WireError::BadSignature)
    }

    fn hash(&self, dictionaries: [&[u8]; 4]) -> Option<Hmac<Sha256>> {
        let mut hash = self.keyed.clone()?;
        for dictionary in dictionaries {
            hash.update(dictionary);
        }
        Some(hash)
    }
}

/// Decodes hexadecimal digits; `None` if `hex` contains anything else.
fn from_hex(hex: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, []) = hex.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DICTIONARIES: [&[u8]; 4] = [b"{\"a\":1}", b"{}", b"{}", b"{\"b\":2}"];

    #[test]
    fn signs_as_every_other_hmac_sha256() {
        // printf '{"a":1}{}{}{"b":2}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            Signer::new("secret").sign(DICTIONARIES),
            "9b14d94617bffb278285cea390d9dc17e01ec3188dba313f9548021906557a7b"
        );
    }

    #[test]
    fn accepts_its_own_signature_in_either_case() {
        let signer = Signer::new("secret");
        let signature = signer.sign(DICTIONARIES);
        assert!(signer.verify(signature.as_bytes(), DICTIONARIES).is_ok());
        assert!(
            signer
                .verify(signature.to_uppercase().as_bytes(), DICTIONARIES)
                .is_ok()
        );
    }

    #[test]
    fn rejects_what_is_not_the_signature() {
        let signer = Signer::new("secret");
        let signature = signer.sign(DICTIONARIES);
        let other_key = Signer::new("other").sign(DICTIONARIES);
        for wrong in ["", "zz", "abc", &signature[..62], &other_key] {
            assert!(
                signer.verify(wrong.as_bytes(), DICTIONARIES).is_err(),
                "accepted {wrong:?}"
            );
        }
    }

    #[test]
    fn an_empty_key_means_an_unsigned_connection() {
        let signer = Signer::new("");
        assert_eq!(signer.sign(DICTIONARIES), "");
        assert!(signer.verify(b"", DICTIONARIES).is_ok());
    }
}
