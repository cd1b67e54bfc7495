//! A PKCS#11 module that forwards to a real one, and takes its time over signatures as a network HSM does.
//!
//! `PKCS11_SHIM_MODULE` names the real module, `PKCS11_SHIM_SIGN_MS` how long a signature takes. Whoever loads this one
//! sees the real one's tokens; its sessions wait beside each other, as those of a device would.
#![expect(unsafe_code, reason = "a PKCS#11 module is a C library")]

use std::ptr;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use cryptoki_sys::{
    CK_BYTE_PTR, CK_FUNCTION_LIST, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR, CKR_ARGUMENTS_BAD,
    CKR_FUNCTION_NOT_SUPPORTED, CKR_GENERAL_ERROR,
};
use libloading::{Library, Symbol};

/// The real module, and what is told to callers instead of its functions.
struct Forward {
    real: CK_FUNCTION_LIST,
    ours: CK_FUNCTION_LIST,
    signature_takes: Duration,
    /// Last: the functions are its.
    _library: Library,
}

static FORWARD: OnceLock<Option<Forward>> = OnceLock::new();

type GetFunctionList = unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV;

/// The one function that a caller looks up by its name (PKCS#11 v2.40 §5.4).
///
/// # Safety
/// `list` is null or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    let Some(forward) = FORWARD.get_or_init(load) else { return CKR_GENERAL_ERROR };
    if list.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // SAFETY: not null, and the caller says that it may be written. The list lives as long as the process.
    unsafe { *list = ptr::from_ref(&forward.ours).cast_mut() };
    0
}

fn load() -> Option<Forward> {
    let module = std::env::var_os("PKCS11_SHIM_MODULE")?;
    let milliseconds = std::env::var("PKCS11_SHIM_SIGN_MS").ok()?.parse().ok()?;
    // SAFETY: a PKCS#11 module, whose initialisers run here as they would in any other caller of it.
    let library = unsafe { Library::new(module) }.ok()?;
    let mut list = ptr::null_mut();
    // SAFETY: the standard gives the function this type; it writes a pointer to a list that lives with the library.
    let real = unsafe {
        let get: Symbol<'_, GetFunctionList> = library.get(b"C_GetFunctionList\0").ok()?;
        if get(&raw mut list) != 0 {
            return None;
        }
        *list.as_ref()?
    };
    let ours = CK_FUNCTION_LIST { C_GetFunctionList: Some(C_GetFunctionList), C_Sign: Some(sign), ..real };
    Some(Forward { real, ours, signature_takes: Duration::from_millis(milliseconds), _library: library })
}

/// As the real one, later. A call that asks only for the length of a signature is answered at once (§5.2).
unsafe extern "C" fn sign(
    session: CK_SESSION_HANDLE,
    data: CK_BYTE_PTR,
    data_length: CK_ULONG,
    signature: CK_BYTE_PTR,
    signature_length: CK_ULONG_PTR,
) -> CK_RV {
    let Some(forward) = FORWARD.get().and_then(Option::as_ref) else { return CKR_GENERAL_ERROR };
    let Some(sign) = forward.real.C_Sign else { return CKR_FUNCTION_NOT_SUPPORTED };
    if !signature.is_null() {
        sleep(forward.signature_takes);
    }
    // SAFETY: the caller's arguments, as they came.
    unsafe { sign(session, data, data_length, signature, signature_length) }
}
