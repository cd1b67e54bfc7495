//! The one name that the binding cannot say. The only unsafe code of this crate.
#![expect(
    unsafe_code,
    reason = "cryptoki cannot name CKM_AES_KEY_WRAP_KWP, which newer tokens have instead of PAD"
)]

use std::ffi::c_ulong;

use cryptoki::mechanism::MechanismType;

/// PKCS #11 v3.1 §6.13.5: RFC 5649 key wrap with padding.
const CKM_AES_KEY_WRAP_KWP: c_ulong = 0x210B;

/// AES key wrap with padding as PKCS #11 3.0 numbers it; the binding knows only the older number, 0x210A.
pub(crate) fn key_wrap_with_padding() -> MechanismType {
    // SAFETY: MechanismType is `repr(transparent)` over CK_MECHANISM_TYPE, which is `c_ulong`; the binding relies on
    // that layout itself, and every value of the integer is a valid mechanism type.
    unsafe { std::mem::transmute::<c_ulong, MechanismType>(CKM_AES_KEY_WRAP_KWP) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mechanism_has_its_number() {
        assert_eq!(c_ulong::from(key_wrap_with_padding()), 0x210B);
    }
}
