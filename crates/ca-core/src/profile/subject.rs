//! Where the subject of a certificate comes from.

use alloc::string::String;
use alloc::vec::Vec;

use ca_x509::name::AttributeType;

/// Where the subject comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectRule {
    /// What the cluster's own code says.
    Given,
    /// These attributes in this order, and nothing else of what a request has; none is an empty subject.
    Composed(Vec<AttributeRule>),
}

/// One attribute of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeRule {
    /// Which.
    pub kind: AttributeType,
    /// What stands in it.
    pub source: AttributeSource,
}

/// Where the text of an attribute comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeSource {
    /// Always this.
    Fixed(String),
    /// As requested; left out if it is not.
    Optional,
    /// As requested; a request without it is refused.
    Required,
    /// As requested, if it is one of the certified names; left out if it is not requested, or too long for it.
    Names,
}
