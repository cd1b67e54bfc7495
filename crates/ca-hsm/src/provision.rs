//! A fresh token gets its label and its PINs.

use cryptoki::context::Pkcs11;
use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use secrecy::SecretString;

use crate::error::{During as _, Fault, TokenError};
use crate::library::{Library, Module};
use crate::limits::LABEL_LENGTH_MAX;
use crate::token::{Token, check_label};

impl Token {
    /// Initialises the first slot whose token never was: label, security officer's PIN, user's PIN. Not for a token
    /// that is in use: makes calls into the library, from the calling thread.
    ///
    /// # Errors
    /// [`TokenError::AlreadyInitialised`] if a token has the label; nothing is ever initialised twice.
    pub fn provision(
        module: &Module,
        label: &str,
        so_pin: &SecretString,
        user_pin: &SecretString,
    ) -> Result<(), TokenError> {
        check_label("token.label", label, LABEL_LENGTH_MAX)?;
        let library = Library::load(module)?;
        let outcome = {
            let _entered = library.enter();
            provision(&library, label, so_pin, user_pin)
        };
        library.finalize();
        Ok(outcome?)
    }
}

fn provision(
    library: &Library,
    label: &str,
    so_pin: &SecretString,
    user_pin: &SecretString,
) -> Result<(), Fault> {
    if library.slot(label).is_ok() {
        return Err(TokenError::AlreadyInitialised { label: label.to_owned() }.into());
    }
    let context = library.context();
    let fresh = fresh_slot(context)?.ok_or_else(|| TokenError::Call {
        step: "find a token to initialise",
        why: "every slot's token is initialised already".to_owned(),
    })?;
    context.init_token(fresh, so_pin, label).during("initialise the token")?;
    // A crash between these lines leaves a token without a user PIN, which opening it names (PinNotSet).
    // The token may be in another slot now: SoftHSM numbers them by serial number.
    let slot = library.slot(label)?;
    let session = context.open_rw_session(slot).during("open a session")?;
    session.login(UserType::So, Some(so_pin)).during("log in as the security officer")?;
    session.init_pin(user_pin).during("set the user PIN")?;
    session.logout().during("log out")?;
    session.close().during("close the session")
}

fn fresh_slot(context: &Pkcs11) -> Result<Option<Slot>, Fault> {
    for slot in context.get_slots_with_token().during("list the slots")? {
        if !context.get_token_info(slot).during("look at a token")?.token_initialized() {
            return Ok(Some(slot));
        }
    }
    Ok(None)
}
