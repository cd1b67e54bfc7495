//! The token that the configuration names: opened, and where there is none of one's own, made.

use std::path::Path;

use ca_authority::ports::Entropy as _;
use ca_hsm::{Module, PinUnavailable, Token, TokenConfig};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::TokenSection;
use crate::failure::Failure;
use crate::files;

/// Opens the token that the configuration names. One log-in try.
pub(crate) fn open(section: &TokenSection, data_dir: &Path) -> Result<Token, Failure> {
    let module = module(section, data_dir)?;
    let mut config = TokenConfig::new(module, &section.label);
    config.sessions = section.sessions;
    let (section, data_dir) = (section.clone(), data_dir.to_owned());
    let pin = move || section.read_pin(&data_dir).map_err(PinUnavailable);
    Ok(Token::open(config, pin)?)
}

/// Initialises a fresh token with a random PIN, which goes into a file of the data directory.
pub(crate) fn provision(section: &TokenSection, data_dir: &Path) -> Result<(), Failure> {
    let draw = || -> Result<SecretString, Failure> {
        let mut octets = [0; 16];
        ca_hsm::SystemEntropy.fill(&mut octets).map_err(Failure::internal)?;
        Ok(SecretString::from(hex::encode(octets)))
    };
    let (so_pin, user_pin) = (draw()?, draw()?);
    let module = module(section, data_dir)?;
    Token::provision(&module, &section.label, &so_pin, &user_pin)?;
    files::write(&files::pin(data_dir), user_pin.expose_secret().as_bytes())
}

fn module(section: &TokenSection, data_dir: &Path) -> Result<Module, Failure> {
    match &section.module {
        Some(path) => Ok(Module::Library(path.clone())),
        None => {
            let installed = ca_token::install(&files::token(data_dir));
            installed.map_err(|e| Failure::new("token-failed", e.to_string()))?;
            Ok(Module::Embedded)
        }
    }
}
