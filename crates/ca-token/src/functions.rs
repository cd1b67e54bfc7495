//! The table of PKCS#11 functions: kryoptic's own, with a few of them wrapped.
//!
//! Only the table of version 2.40 is exported (no `C_GetInterface`): it is what the other tokens in the field
//! offer, so the signer meets one set of functions everywhere.
//!
//! Why the translation: kryoptic calls AES key wrap with padding (RFC 5649) by its name of PKCS#11 3.0,
//! `CKM_AES_KEY_WRAP_KWP`, which cryptoki cannot say; SoftHSM and older tokens call the same thing
//! `CKM_AES_KEY_WRAP_PAD`. Here both names work.

use std::hint::black_box;
use std::ptr;
use std::sync::OnceLock;

use kryoptic_lib::fns::{general, keymgmt, stmgmt};
use kryoptic_lib::pkcs11::{
    CK_ATTRIBUTE_PTR, CK_BYTE_PTR, CK_C_INITIALIZE_ARGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR_PTR,
    CK_MECHANISM, CK_MECHANISM_INFO_PTR, CK_MECHANISM_PTR, CK_MECHANISM_TYPE, CK_MECHANISM_TYPE_PTR,
    CK_OBJECT_HANDLE, CK_OBJECT_HANDLE_PTR, CK_RV, CK_SESSION_HANDLE, CK_SLOT_ID, CK_ULONG, CK_ULONG_PTR,
    CK_VOID_PTR, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL,
    CKR_FUNCTION_FAILED, CKR_OK,
};

use crate::install::initialize_argument;

/// The entry point that PKCS#11 names: writes the address of the function table to `*list`.
///
/// # Safety
/// `list` is null, which is refused, or valid for a write. [PKCS #11 v3.1 §5.4.4]
#[unsafe(no_mangle)]
unsafe extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    if list.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    let Some(table) = table() else { return CKR_FUNCTION_FAILED };
    // SAFETY: not null, and so valid. The table is never written again: the caller gets a mutable pointer
    // only because the C type has no const.
    unsafe { *list = ptr::from_ref(table).cast_mut() };
    CKR_OK
}

/// Whether the table can be had. [`crate::install`] asks through the entry point itself, and so keeps the
/// linker from leaving out a symbol that nothing else in the program refers to.
pub(crate) fn are_linked() -> bool {
    let entry: unsafe extern "C" fn(CK_FUNCTION_LIST_PTR_PTR) -> CK_RV = C_GetFunctionList;
    let mut list: *mut CK_FUNCTION_LIST = ptr::null_mut();
    // SAFETY: the argument is valid for a write.
    let result = unsafe { black_box(entry)(&mut list) };
    result == CKR_OK && !list.is_null()
}

/// Made at the first call from kryoptic's own table.
fn table() -> Option<&'static CK_FUNCTION_LIST> {
    static TABLE: OnceLock<Option<CK_FUNCTION_LIST>> = OnceLock::new();
    TABLE
        .get_or_init(|| {
            let mut theirs: *mut CK_FUNCTION_LIST = ptr::null_mut();
            if general::fn_get_function_list(&mut theirs) != CKR_OK || theirs.is_null() {
                return None;
            }
            // SAFETY: kryoptic returned OK, so the pointer is to its static table.
            let theirs = unsafe { *theirs };
            Some(CK_FUNCTION_LIST {
                C_Initialize: Some(initialize),
                C_GetFunctionList: Some(C_GetFunctionList),
                C_GetMechanismList: Some(get_mechanism_list),
                C_GetMechanismInfo: Some(get_mechanism_info),
                C_WrapKey: Some(wrap_key),
                C_UnwrapKey: Some(unwrap_key),
                ..theirs
            })
        })
        .as_ref()
}

/// Names the installed configuration to kryoptic, unless the caller names one. Without either, kryoptic looks
/// for a file of its own in the home directory: not for us, so nothing installed is an error.
unsafe extern "C" fn initialize(arguments: CK_VOID_PTR) -> CK_RV {
    let given = if arguments.is_null() {
        CK_C_INITIALIZE_ARGS::default()
    } else {
        // SAFETY: by PKCS#11 [§5.4.1] the argument is null or points to this structure.
        unsafe { *arguments.cast::<CK_C_INITIALIZE_ARGS>() }
    };
    if !given.pReserved.is_null() {
        return general::fn_initialize(arguments);
    }
    let Some(argument) = initialize_argument() else { return CKR_ARGUMENTS_BAD };
    let mut ours = CK_C_INITIALIZE_ARGS { pReserved: argument.as_ptr().cast_mut().cast(), ..given };
    general::fn_initialize(ptr::from_mut(&mut ours).cast())
}

/// Kryoptic's list, and the second name of key wrap with padding at its end.
unsafe extern "C" fn get_mechanism_list(
    slot: CK_SLOT_ID,
    list: CK_MECHANISM_TYPE_PTR,
    count: CK_ULONG_PTR,
) -> CK_RV {
    if count.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // SAFETY: not null, and by PKCS#11 [§5.5.5] valid for reads and writes.
    let room = unsafe { *count };
    let result = stmgmt::fn_get_mechanism_list(slot, list, count);
    if result != CKR_OK && result != CKR_BUFFER_TOO_SMALL {
        return result;
    }
    // SAFETY: as above; kryoptic wrote its own count.
    let (theirs, all) = unsafe {
        let theirs = *count;
        *count = theirs.saturating_add(1);
        (theirs, *count)
    };
    if list.is_null() {
        return CKR_OK;
    }
    let Ok(end) = usize::try_from(theirs) else { return CKR_FUNCTION_FAILED };
    if result != CKR_OK || room < all {
        return CKR_BUFFER_TOO_SMALL;
    }
    // SAFETY: the caller's list has room for `room` >= theirs + 1 entries.
    unsafe { list.add(end).write(CKM_AES_KEY_WRAP_PAD) };
    CKR_OK
}

unsafe extern "C" fn get_mechanism_info(
    slot: CK_SLOT_ID,
    mechanism: CK_MECHANISM_TYPE,
    info: CK_MECHANISM_INFO_PTR,
) -> CK_RV {
    stmgmt::fn_get_mechanism_info(slot, translated(mechanism), info)
}

unsafe extern "C" fn wrap_key(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    wrapping_key: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    wrapped: CK_BYTE_PTR,
    wrapped_len: CK_ULONG_PTR,
) -> CK_RV {
    if mechanism.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // SAFETY: not null, and by PKCS#11 [§5.18.3] valid for the call.
    let mut mechanism = translated_mechanism(unsafe { *mechanism });
    keymgmt::fn_wrap_key(session, &mut mechanism, wrapping_key, key, wrapped, wrapped_len)
}

unsafe extern "C" fn unwrap_key(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    unwrapping_key: CK_OBJECT_HANDLE,
    wrapped: CK_BYTE_PTR,
    wrapped_len: CK_ULONG,
    template: CK_ATTRIBUTE_PTR,
    template_count: CK_ULONG,
    key: CK_OBJECT_HANDLE_PTR,
) -> CK_RV {
    if mechanism.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // SAFETY: not null, and by PKCS#11 [§5.18.4] valid for the call.
    let mut mechanism = translated_mechanism(unsafe { *mechanism });
    keymgmt::fn_unwrap_key(
        session,
        &mut mechanism,
        unwrapping_key,
        wrapped,
        wrapped_len,
        template,
        template_count,
        key,
    )
}

fn translated_mechanism(mechanism: CK_MECHANISM) -> CK_MECHANISM {
    CK_MECHANISM { mechanism: translated(mechanism.mechanism), ..mechanism }
}

fn translated(mechanism: CK_MECHANISM_TYPE) -> CK_MECHANISM_TYPE {
    if mechanism == CKM_AES_KEY_WRAP_PAD { CKM_AES_KEY_WRAP_KWP } else { mechanism }
}
