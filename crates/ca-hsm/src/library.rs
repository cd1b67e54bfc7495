//! The PKCS#11 library: loaded once, initialised, and initialised again when nothing else helps.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::Instant;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::Slot;

use crate::error::{During as _, Fault, Lost, LostPart, TokenError, said};
use crate::limits::{ALONE_MAX, ALONE_STEP};

/// Where the PKCS#11 functions are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Module {
    /// A shared library, such as a vendor's or SoftHSM's.
    Library(PathBuf),
    /// The token that is linked into this program and exports `C_GetFunctionList`. It must have been told its
    /// directory before.
    Embedded,
}

impl Module {
    fn name(&self) -> String {
        match self {
            Self::Library(path) => path.display().to_string(),
            Self::Embedded => "(embedded)".to_owned(),
        }
    }
}

/// A loaded and initialised library.
///
/// Workers hold [`Library::enter`] while they are inside it, so that it is never finalised under a running call.
pub(crate) struct Library {
    context: Pkcs11,
    generation: RwLock<Generation>,
    initialised: InitialisedBy,
}

/// Counts the initialisations: a session of an earlier one means nothing, or another session by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u64);

#[derive(Clone, Copy, PartialEq, Eq)]
enum InitialisedBy {
    Us,
    /// Another user of the library in this process: it is not ours to finalise at the end.
    Another,
}

/// Held while a call runs.
#[expect(dead_code, reason = "what counts is how long the guards live")]
pub(crate) enum Inside<'a> {
    Alone(RwLockWriteGuard<'a, Generation>),
    Among(RwLockReadGuard<'a, Generation>),
}

impl Library {
    pub(crate) fn load(module: &Module) -> Result<Self, TokenError> {
        let context = match module {
            Module::Library(path) => Pkcs11::new(path),
            Module::Embedded => Pkcs11::new_from_self(),
        };
        let context =
            context.map_err(|e| TokenError::ModuleMissing { module: module.name(), why: e.to_string() })?;
        let initialised = initialize(&context)
            .map_err(|e| TokenError::ModuleRefused { module: module.name(), why: said(&e) })?;
        Ok(Self { context, generation: RwLock::new(Generation(0)), initialised })
    }

    pub(crate) fn context(&self) -> &Pkcs11 {
        &self.context
    }

    /// To be held during every call into the library.
    pub(crate) fn enter(&self) -> RwLockReadGuard<'_, Generation> {
        self.generation.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Library::enter`], if the library was not initialised again since `seen`.
    pub(crate) fn enter_again(&self, seen: Generation) -> Result<RwLockReadGuard<'_, Generation>, Fault> {
        let entered = self.enter();
        if *entered == seen { Ok(entered) } else { Err(was_restarted()) }
    }

    /// Keeps everybody else out while the log-in changes: kryoptic 1.5 locks the token and its sessions in one order
    /// in `C_Login` and in the other in `C_FindObjectsInit`, and hangs for ever when the two meet.
    ///
    /// A worker that hangs in a call never leaves; after [`ALONE_MAX`] it is not waited for any longer.
    pub(crate) fn alone(&self, seen: Generation) -> Result<Inside<'_>, Fault> {
        let begin = Instant::now();
        while begin.elapsed() < ALONE_MAX {
            let guard = match self.generation.try_write() {
                Ok(guard) => guard,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    thread::sleep(ALONE_STEP);
                    continue;
                }
            };
            return if *guard == seen { Ok(Inside::Alone(guard)) } else { Err(was_restarted()) };
        }
        Ok(Inside::Among(self.enter_again(seen)?))
    }

    /// Finalises the library and initialises it again, unless somebody did since `seen`, or somebody is inside it:
    /// then the answer is `false` and nothing happened. A worker that hangs in a call keeps this from ever happening,
    /// for PKCS#11 leaves undefined what finalising under it would do.
    pub(crate) fn restart(&self, seen: Generation) -> Result<bool, TokenError> {
        let Ok(mut generation) = self.generation.try_write() else { return Ok(false) };
        if *generation != seen {
            return Ok(false);
        }
        // It may not be initialised any more: that is one reason to be here.
        let _ = self.context.clone().finalize();
        generation.0 = generation.0.saturating_add(1);
        initialize(&self.context).during("initialise the library again")?;
        Ok(true)
    }

    /// Ends the use of the library, if this is whose it is and nobody is inside.
    pub(crate) fn finalize(&self) {
        if self.initialised == InitialisedBy::Us
            && let Ok(mut generation) = self.generation.try_write()
        {
            generation.0 = generation.0.saturating_add(1);
            let _ = self.context.clone().finalize();
        }
    }

    /// The slot with the token of this label. Looked up at each connection: tokens move between slots.
    pub(crate) fn slot(&self, label: &str) -> Result<Slot, Fault> {
        let slots = self.context.get_slots_with_token().during("list the slots")?;
        let mut found = Vec::new();
        for slot in &slots {
            // A token may leave between the two calls.
            let Ok(info) = self.context.get_token_info(*slot) else { continue };
            if info.token_initialized() {
                found.push((*slot, info.label().to_owned()));
            }
        }
        let label_of = |(_, label): &(Slot, String)| label.clone();
        let mut fitting = found.iter().filter(|(_, its)| its == label);
        match (fitting.next(), fitting.count()) {
            (Some((slot, _)), 0) => Ok(*slot),
            (Some(_), more) => {
                let count = more.saturating_add(1);
                Err(TokenError::LabelAmbiguous { label: label.to_owned(), count }.into())
            }
            (None, _) if found.is_empty() => {
                Err(TokenError::NotInitialised { label: label.to_owned(), slots: slots.len() }.into())
            }
            (None, _) => {
                let found = found.iter().map(label_of).collect();
                Err(TokenError::LabelMissing { label: label.to_owned(), found }.into())
            }
        }
    }
}

fn was_restarted() -> Fault {
    let why = "the library was initialised again meanwhile".to_owned();
    Fault::Lost(Lost { step: "go on with a session", why, what: LostPart::Session })
}

fn initialize(context: &Pkcs11) -> Result<InitialisedBy, Error> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) => Ok(InitialisedBy::Us),
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(InitialisedBy::Another),
        Err(error) => Err(error),
    }
}
