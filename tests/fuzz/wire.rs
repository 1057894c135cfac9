//! Whatever frames arrive, the decoder refuses them or gives a message that survives the wire.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memit_kernel::jupyter::wire::{Codec, Signer};

fuzz_target!(|frames: (Vec<Vec<u8>>, Vec<Vec<u8>>)| {
    let (mut message, signed_part) = frames;
    // No chance would find it.
    message.push(b"<IDS|MSG>".to_vec());
    message.extend(signed_part);
    // Signed, nearly everything is refused at once; unsigned, all of it is parsed.
    assert!(
        Codec::new(Signer::new("key"))
            .decode(message.clone())
            .is_err()
    );
    let unsigned = Codec::new(Signer::new(""));
    if let Ok(message) = unsigned.decode(message) {
        let again = unsigned.decode(unsigned.encode(message.clone()));
        assert_eq!(again.expect("it has been understood before"), message);
    }
});
