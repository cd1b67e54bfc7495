//! Why the program, or a command, came to nothing: what happened, why, and the command to run next.

use std::fmt;

/// One failure as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The stable word; `ca-node explain SLUG` says more.
    pub(crate) slug: String,
    /// What happened, with both sides.
    pub(crate) what: String,
    /// The next step; where there is none, what `explain` says of the slug.
    pub(crate) next: Option<String>,
    /// What the process answers with.
    pub(crate) code: u8,
    /// What is wrong with single fields of what was sent: the field, and why.
    pub(crate) fields: Vec<(String, String)>,
}

impl Failure {
    pub(crate) fn new(slug: &str, what: impl Into<String>) -> Self {
        Self { slug: slug.to_owned(), what: what.into(), next: None, code: 1, fields: Vec::new() }
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// A fault that no text of ours foresees.
    pub(crate) fn internal(what: impl fmt::Display) -> Self {
        Self::new("internal", what.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}  [{}]", self.what, self.slug)?;
        let known = || ca_http::explain::explain(&self.slug).map(|known| known.next);
        if let Some(next) = self.next.as_deref().or_else(known) {
            writeln!(f, "  next: {next}")?;
        }
        write!(f, "  docs: ca-node explain {}", self.slug)
    }
}

impl std::error::Error for Failure {}

impl From<ca_core::register::StorageFault> for Failure {
    fn from(fault: ca_core::register::StorageFault) -> Self {
        Self::internal(fault)
    }
}

impl From<ca_http::DeskError> for Failure {
    fn from(error: ca_http::DeskError) -> Self {
        match error {
            ca_http::DeskError::Act(error) => error.into(),
            ca_http::DeskError::Refused { .. } => Self::new("bad-request", error.to_string()),
            ca_http::DeskError::Internal { .. } => Self::internal(error),
        }
    }
}

impl From<ca_authority::ActError> for Failure {
    fn from(error: ca_authority::ActError) -> Self {
        Self::new(error.slug(), error.to_string())
    }
}

impl From<ca_hsm::TokenError> for Failure {
    fn from(error: ca_hsm::TokenError) -> Self {
        use ca_hsm::TokenError;
        let (slug, next) = match &error {
            TokenError::WrongPin { .. } => {
                ("wrong-pin", "set the right PIN where [token] pin says, then start again")
            }
            TokenError::ModuleMissing { .. } | TokenError::LabelMissing { .. } => {
                ("token-not-found", "compare [token] module and label with what the module's own tool lists")
            }
            _ => ("token-failed", "check [token] in the configuration, and the module's own log"),
        };
        Self::new(slug, error.to_string()).next(next)
    }
}
