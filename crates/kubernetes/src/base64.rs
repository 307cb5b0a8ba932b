//! Standard base64 as the API server writes and reads it: with padding, line breaks count for nothing.
//! <https://pkg.go.dev/encoding/base64#StdEncoding>

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

const GO: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Base64 of bytes.
pub fn encoded(bytes: &[u8]) -> String {
    GO.encode(bytes)
}

/// The bytes of a text in base64; nothing if it is none.
pub fn decoded(text: &str) -> Option<Vec<u8>> {
    let bare: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    GO.decode(bare).ok()
}
