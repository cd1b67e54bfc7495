//! Rules about subjects ⇄ protobuf.

use ca_core::profile::{AttributeRule, AttributeSource, SubjectRule};
use ca_x509::name::AttributeType;

use super::super::CodecError;
use super::super::fields::required;
use crate::wire::log as wire;
use crate::wire::log::attribute_rule::Source;

pub(super) fn to_wire(rule: &SubjectRule) -> Option<wire::SubjectRule> {
    let SubjectRule::Composed(rules) = rule else { return None };
    let attributes = rules.iter().map(|rule| wire::AttributeRule {
        attribute: rule.kind.as_str().to_owned(),
        source: Some(match &rule.source {
            AttributeSource::Fixed(text) => Source::Fixed(text.clone()),
            AttributeSource::Optional => Source::Optional(wire::Empty {}),
            AttributeSource::Required => Source::Required(wire::Empty {}),
            AttributeSource::Names => Source::Names(wire::Empty {}),
        }),
    });
    Some(wire::SubjectRule { attributes: attributes.collect() })
}

pub(super) fn from_wire(rule: Option<wire::SubjectRule>) -> Result<SubjectRule, CodecError> {
    match rule {
        None => Ok(SubjectRule::Given),
        Some(rule) => {
            let attributes: Result<_, _> = rule.attributes.into_iter().map(attribute).collect();
            attributes.map(SubjectRule::Composed)
        }
    }
}

fn attribute(rule: wire::AttributeRule) -> Result<AttributeRule, CodecError> {
    // Written as it is read, or two nodes could hold one value in two ways.
    let kind = AttributeType::from_name(&rule.attribute).filter(|kind| kind.as_str() == rule.attribute);
    Ok(AttributeRule {
        kind: required("attribute", kind)?,
        source: match required("source of an attribute", rule.source)? {
            Source::Fixed(text) => AttributeSource::Fixed(text),
            Source::Optional(wire::Empty {}) => AttributeSource::Optional,
            Source::Required(wire::Empty {}) => AttributeSource::Required,
            Source::Names(wire::Empty {}) => AttributeSource::Names,
        },
    })
}
