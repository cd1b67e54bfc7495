//! Where the token keeps its files, and the configuration that tells it so.

use std::ffi::{CString, NulError};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use crate::functions;
use crate::limits::{DIRECTORY_BYTES_MAX, SLOTS_MAX};

/// Makes `directory` the home of the embedded token, with one slot (number 0), and returns the path of the
/// configuration file written there.
///
/// To be called once, before `Pkcs11::new_from_self()` and its `initialize`; the same call again is harmless.
/// The directory is created and closed to others (0700): the token's key store lies in it, encrypted under
/// the user's PIN only.
///
/// # Errors
/// See [`InstallError`]; none is worth a retry without the operator.
pub fn install(directory: &Path) -> Result<PathBuf, InstallError> {
    install_slots(directory, 1)
}

/// As [`install`], with the slots 0 to `slot_count - 1`, each a token of its own: nodes that share a process.
///
/// # Errors
/// See [`InstallError`].
pub fn install_slots(directory: &Path, slot_count: u8) -> Result<PathBuf, InstallError> {
    if !(1..=SLOTS_MAX).contains(&slot_count) {
        return Err(InstallError::Slots { got: slot_count, max: SLOTS_MAX });
    }
    if !functions::are_linked() {
        return Err(InstallError::NotLinked);
    }
    let directory = std::path::absolute(directory).map_err(|source| io_error(directory, source))?;
    let configuration = configuration(&directory, slot_count)?;
    let file = directory.join(CONFIGURATION_FILE);
    let argument = CString::new(format!("kryoptic_conf={}", file.display()))?;

    let installed = INSTALLED.get_or_init(|| Installed { argument: argument.clone(), slot_count });
    if installed.argument != argument || installed.slot_count != slot_count {
        return Err(InstallError::Elsewhere {
            first: installed.argument.to_string_lossy().into_owned(),
            first_slot_count: installed.slot_count,
            second: argument.to_string_lossy().into_owned(),
            second_slot_count: slot_count,
        });
    }
    create_private_directory(&directory)?;
    write_private(&file, configuration.as_bytes())?;
    if !IS_SWEPT.swap(true, Ordering::SeqCst) {
        for slot in 0..slot_count {
            remove_if_empty(&directory.join(store_file(slot)))?;
        }
    }
    Ok(file)
}

/// Why the embedded token has no home.
#[derive(Debug, Error)]
pub enum InstallError {
    /// The number of slots is zero or above [`SLOTS_MAX`].
    #[error("{got} slots asked for: the embedded token has 1 to {max}")]
    Slots {
        /// Slots asked for.
        got: u8,
        /// The bound, [`SLOTS_MAX`].
        max: u8,
    },
    /// The path cannot be written into the token's configuration.
    #[error("the path {path:?} of the embedded token is {fault}")]
    Path {
        /// The directory as given, made absolute.
        path: PathBuf,
        /// What is wrong with it.
        fault: PathFault,
    },
    /// The path holds a NUL.
    #[error("the path of the embedded token cannot be passed to it")]
    Nul(#[from] NulError),
    /// The process has given the token another home before.
    #[error(
        "the embedded token lives at {first} with {first_slot_count} slots in this process, \
         and cannot move to {second} with {second_slot_count}"
    )]
    Elsewhere {
        /// The home given first.
        first: String,
        /// Its slots.
        first_slot_count: u8,
        /// The home refused.
        second: String,
        /// Its slots.
        second_slot_count: u8,
    },
    /// The token's functions are not part of this executable.
    #[error("the embedded token is not linked into this program")]
    NotLinked,
    /// A file of the token could not be written.
    #[error("cannot prepare {path:?} for the embedded token")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// What makes a path unfit for the token's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathFault {
    /// Not UTF-8: the token reads its configuration as text.
    #[error("not UTF-8")]
    NotText,
    /// Holds a quote or a control character, which a TOML literal string cannot.
    #[error("not quotable")]
    NotQuotable,
    /// Longer than the system can open with a file name after it.
    #[error("too long")]
    TooLong,
}

/// The argument of `C_Initialize` that names the configuration file; `None` before [`install`].
pub(crate) fn initialize_argument() -> Option<&'static CString> {
    INSTALLED.get().map(|installed| &installed.argument)
}

/// One home a process: kryoptic's state is global to it.
static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Whether the leftovers of an earlier process have been removed. Only once: later an empty store is one
/// that this process's token has open.
static IS_SWEPT: AtomicBool = AtomicBool::new(false);

struct Installed {
    argument: CString,
    slot_count: u8,
}

const CONFIGURATION_FILE: &str = "token.conf";

fn store_file(slot: u8) -> String {
    format!("slot-{slot}.sql")
}

/// The text of token.conf. Paths go into TOML literal strings, which know no escapes.
fn configuration(directory: &Path, slot_count: u8) -> Result<String, InstallError> {
    let fault = |fault| InstallError::Path { path: directory.to_owned(), fault };
    let text = directory.to_str().ok_or_else(|| fault(PathFault::NotText))?;
    if text.contains(|c: char| c == '\'' || c.is_control()) {
        return Err(fault(PathFault::NotQuotable));
    }
    if text.len() > DIRECTORY_BYTES_MAX {
        return Err(fault(PathFault::TooLong));
    }
    let slots = (0..slot_count).map(|slot| {
        format!("[[slots]]\nslot = {slot}\ndbtype = 'sqlite'\ndbargs = '{text}/{}'\n", store_file(slot))
    });
    Ok(slots.collect::<Vec<_>>().join("\n"))
}

fn create_private_directory(directory: &Path) -> Result<(), InstallError> {
    let create = || {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        // It may have been there, and open.
        fs::set_permissions(directory, Permissions::from_mode(0o700))
    };
    create().map_err(|source| io_error(directory, source))
}

/// Writes aside and renames: a crash leaves the old configuration or the new one.
fn write_private(file: &Path, bytes: &[u8]) -> Result<(), InstallError> {
    let aside = file.with_extension("conf.new");
    let write = || {
        let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        new.write_all(bytes)?;
        new.sync_all()?;
        fs::rename(&aside, file)
    };
    write().map_err(|source| io_error(file, source))
}

/// A process that ended between `C_Initialize` and `C_InitToken` leaves a store of no bytes, which the token
/// then refuses to open; it holds nothing.
fn remove_if_empty(store: &Path) -> Result<(), InstallError> {
    match fs::metadata(store) {
        Ok(metadata) if metadata.len() == 0 => {
            fs::remove_file(store).map_err(|source| io_error(store, source))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(io_error(store, source)),
    }
}

fn io_error(path: &Path, source: io::Error) -> InstallError {
    InstallError::Io { path: path.to_owned(), source }
}
