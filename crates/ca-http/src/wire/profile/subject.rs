//! The subject as people write it.

use ca_core::profile::{AttributeRule, AttributeSource, ProfileFault, SubjectRule};
use ca_x509::name::AttributeType;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read::{each, fault};

/// `"given"` (as the cluster's own code says; for `audience = "cluster"`), or the attributes in their order:
/// `O=Example Ltd` (always this), `serialNumber required`, `OU optional` (as the CSR has them), `CN from names` (the
/// CSR's, which is then one of the certified names). What a CSR has beyond these does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SubjectDocument {
    /// `given`.
    Word(String),
    /// The attributes.
    Attributes(Vec<String>),
}

impl Default for SubjectDocument {
    fn default() -> Self {
        Self::Attributes(vec!["CN from names".to_owned()])
    }
}

const SOURCES: [(&str, AttributeSource); 3] = [
    (" optional", AttributeSource::Optional),
    (" required", AttributeSource::Required),
    (" from names", AttributeSource::Names),
];

impl From<&SubjectRule> for SubjectDocument {
    fn from(rule: &SubjectRule) -> Self {
        match rule {
            SubjectRule::Given => Self::Word("given".to_owned()),
            SubjectRule::Composed(rules) => Self::Attributes(rules.iter().map(text).collect()),
        }
    }
}

impl SubjectDocument {
    pub(super) fn read(&self, faults: &mut Vec<ProfileFault>) -> Option<SubjectRule> {
        match self {
            Self::Word(word) if word == "given" => Some(SubjectRule::Given),
            Self::Word(word) => {
                let why = format!("`{word}` is neither given nor a list of attributes: [\"CN from names\"]");
                faults.push(fault("subject", why));
                None
            }
            Self::Attributes(texts) => Some(SubjectRule::Composed(each("subject", texts, faults, attribute))),
        }
    }
}

fn text(rule: &AttributeRule) -> String {
    let source = SOURCES.into_iter().find(|(_, source)| *source == rule.source);
    match (&rule.source, source) {
        (AttributeSource::Fixed(text), _) => format!("{}={text}", rule.kind),
        (_, Some((word, _))) => format!("{}{word}", rule.kind),
        (_, None) => rule.kind.to_string(),
    }
}

/// The text after the first `=` stands as it is: nothing is escaped.
fn attribute(text: &str) -> Result<AttributeRule, String> {
    let sources = SOURCES.into_iter().find_map(|(word, source)| Some((text.strip_suffix(word)?, source)));
    let fixed = || text.split_once('=').map(|(kind, text)| (kind, AttributeSource::Fixed(text.to_owned())));
    // `O=not optional` is a text of its own.
    let read = if text.contains('=') { fixed() } else { sources };
    let (kind, source) =
        read.ok_or_else(|| format!("`{text}` is none of O=text, O optional, O required, CN from names"))?;
    let names = || AttributeType::ALL.map(AttributeType::as_str).join(", ");
    let kind = AttributeType::from_name(kind).ok_or_else(|| format!("`{kind}` is none of {}", names()))?;
    Ok(AttributeRule { kind, source })
}
