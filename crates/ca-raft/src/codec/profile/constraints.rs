//! Policies, constraints and templates ⇄ protobuf.

use ca_x509::certificate::{
    CertificatePolicy, CertificateTemplate, NameConstraints, NameSubtree, PolicyConstraints,
};

use super::super::CodecError;
use super::super::fields::{self, octets, required};
use crate::wire::log as wire;
use crate::wire::log::name_subtree::Base;

pub(super) fn policy_to_wire(policy: &CertificatePolicy) -> wire::Policy {
    wire::Policy { identifier: policy.identifier.to_string(), cps: policy.cps.clone() }
}

pub(super) fn policy(policy: wire::Policy) -> Result<CertificatePolicy, CodecError> {
    Ok(CertificatePolicy { identifier: fields::oid(&policy.identifier)?, cps: policy.cps })
}

pub(super) fn policies_to_wire(constraints: PolicyConstraints) -> wire::PolicyConstraints {
    wire::PolicyConstraints {
        require_explicit_policy: constraints.require_explicit_policy.map(u32::from),
        inhibit_policy_mapping: constraints.inhibit_policy_mapping.map(u32::from),
    }
}

pub(super) fn policies(constraints: wire::PolicyConstraints) -> Result<PolicyConstraints, CodecError> {
    Ok(PolicyConstraints {
        require_explicit_policy: fields::small("policy constraint", constraints.require_explicit_policy)?,
        inhibit_policy_mapping: fields::small("policy constraint", constraints.inhibit_policy_mapping)?,
    })
}

pub(in crate::codec) fn names_to_wire(constraints: &NameConstraints) -> wire::NameConstraints {
    wire::NameConstraints {
        permitted: constraints.permitted.iter().map(subtree_to_wire).collect(),
        excluded: constraints.excluded.iter().map(subtree_to_wire).collect(),
    }
}

pub(in crate::codec) fn names(constraints: wire::NameConstraints) -> Result<NameConstraints, CodecError> {
    Ok(NameConstraints {
        permitted: constraints.permitted.into_iter().map(subtree).collect::<Result<_, _>>()?,
        excluded: constraints.excluded.into_iter().map(subtree).collect::<Result<_, _>>()?,
    })
}

pub(super) fn template_to_wire(template: CertificateTemplate) -> wire::Template {
    let CertificateTemplate { identifier, major, minor } = template;
    wire::Template { identifier: identifier.to_string(), major, minor }
}

pub(super) fn template(template: &wire::Template) -> Result<CertificateTemplate, CodecError> {
    let wire::Template { identifier, major, minor } = template;
    Ok(CertificateTemplate { identifier: fields::oid(identifier)?, major: *major, minor: *minor })
}

fn subtree_to_wire(subtree: &NameSubtree) -> wire::NameSubtree {
    let base = match subtree {
        NameSubtree::Dns(text) => Base::Dns(text.clone()),
        NameSubtree::Email(text) => Base::Email(text.clone()),
        NameSubtree::Uri(text) => Base::Uri(text.clone()),
        NameSubtree::Ip { address, prefix } => Base::Ip(fields::ip_block_to_wire(*address, *prefix)),
        NameSubtree::Directory(name) => Base::Directory(octets(name.as_der())),
    };
    wire::NameSubtree { base: Some(base) }
}

fn subtree(subtree: wire::NameSubtree) -> Result<NameSubtree, CodecError> {
    Ok(match required("base of a subtree", subtree.base)? {
        Base::Dns(text) => NameSubtree::Dns(text),
        Base::Email(text) => NameSubtree::Email(text),
        Base::Uri(text) => NameSubtree::Uri(text),
        Base::Ip(block) => {
            let (address, prefix) = fields::ip_block(&block)?;
            NameSubtree::Ip { address, prefix }
        }
        Base::Directory(der) => NameSubtree::Directory(Box::new(fields::subject(&der)?)),
    })
}
