//! What stands in a certificate's subject.

use alloc::string::{String, ToString as _};

use ca_x509::name::{AttributeType, DistinguishedName, GeneralName};

use crate::names::NameSpace;
use crate::outcome::Refusal;
use crate::profile::{AttributeRule, AttributeSource, SubjectRule};

/// RFC 5280 appendix A.1, `ub-common-name`.
const COMMON_NAME_CHARS_MAX: usize = 64;

/// The subject by the profile's rule. Of a request it has the attributes that the rule asks for, and nothing else
/// (I18). `names` are the certified ones, `space` is the name space of who asks.
///
/// # Errors
/// [`Refusal::OutsideProfile`] for the first attribute that is missing, not a certified name where it must be one, or
/// outside the name space; and where nobody would be named.
pub(crate) fn subject(
    rule: &SubjectRule,
    asked: DistinguishedName,
    names: &[GeneralName],
    space: &NameSpace<'_>,
) -> Result<DistinguishedName, Refusal> {
    let rules = match rule {
        SubjectRule::Given => return Ok(asked),
        SubjectRule::Composed(rules) => rules,
    };
    let mut subject = DistinguishedName::new();
    for rule in rules {
        if let Some(text) = attribute(rule, &asked, names, space)? {
            subject = subject.attribute(rule.kind, text);
        }
    }
    let subject = subject.build().map_err(|e| refused(e.to_string()))?;
    if subject.is_empty() && names.is_empty() {
        return Err(refused("neither it nor the names would name anybody (RFC 5280 §4.1.2.6)".into()));
    }
    Ok(subject)
}

fn attribute(
    rule: &AttributeRule,
    asked: &DistinguishedName,
    names: &[GeneralName],
    space: &NameSpace<'_>,
) -> Result<Option<String>, Refusal> {
    let kind = rule.kind;
    // The most specific is the last (RFC 4514 §2.1).
    let asked = asked.texts().filter(|(one, _)| *one == kind).last().map(|(_, text)| text);
    match (&rule.source, asked) {
        (AttributeSource::Fixed(text), _) => Ok(Some(text.clone())),
        (AttributeSource::Required, None) => {
            Err(refused(alloc::format!("the profile wants {kind} in the request's subject")))
        }
        (AttributeSource::Optional | AttributeSource::Names, None) => Ok(None),
        (AttributeSource::Optional | AttributeSource::Required, Some(text)) => {
            if space.admits_text(&text) {
                Ok(Some(text))
            } else {
                Err(refused(alloc::format!("{kind}={text} is outside the names that you may have")))
            }
        }
        (AttributeSource::Names, Some(text)) => match names.iter().find_map(|name| as_subject(name, &text)) {
            // A longer name stands in the subjectAltName alone.
            Some(name) if kind == AttributeType::CommonName && name.len() > COMMON_NAME_CHARS_MAX => Ok(None),
            Some(name) => Ok(Some(name)),
            None => Err(refused(alloc::format!("{kind}={text} is not among the certified names"))),
        },
    }
}

/// The text of this name as a subject writes it, if that is what is asked for.
pub(crate) fn as_subject(name: &GeneralName, asked: &str) -> Option<String> {
    let text = match name {
        GeneralName::Dns(text)
        | GeneralName::Email(text)
        | GeneralName::Uri(text)
        | GeneralName::SmtpUtf8Mailbox(text)
        | GeneralName::UserPrincipalName(text) => text.clone(),
        GeneralName::Ip(address) => address.to_string(),
        GeneralName::Directory(_) => return None,
    };
    let equal = match name {
        GeneralName::Dns(_) => text.eq_ignore_ascii_case(asked),
        GeneralName::Email(_) => same_mailbox(&text, asked),
        _ => text == asked,
    };
    equal.then_some(text)
}

/// The host in any case, the local part as it is (RFC 5321 §2.4).
fn same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((local, host)), Some((other_local, other_host))) => {
            local == other_local && host.eq_ignore_ascii_case(other_host)
        }
        _ => false,
    }
}

fn refused(why: String) -> Refusal {
    Refusal::OutsideProfile { field: "subject".into(), why }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::roles::Reach;

    fn rule(kind: AttributeType, source: AttributeSource) -> AttributeRule {
        AttributeRule { kind, source }
    }

    fn device() -> SubjectRule {
        SubjectRule::Composed(vec![
            rule(AttributeType::Country, AttributeSource::Fixed("DE".into())),
            rule(AttributeType::OrganizationalUnit, AttributeSource::Optional),
            rule(AttributeType::SerialNumber, AttributeSource::Required),
            rule(AttributeType::CommonName, AttributeSource::Names),
        ])
    }

    fn asked(attributes: &[(AttributeType, &str)]) -> DistinguishedName {
        let start = DistinguishedName::new();
        attributes.iter().fold(start, |name, (kind, text)| name.attribute(*kind, *text)).build().unwrap()
    }

    fn text(attributes: &[(AttributeType, &str)], space: &Reach<String>) -> Result<String, String> {
        let names = [GeneralName::Dns("a.example".into()), GeneralName::Email("Ann@b.example".into())];
        match subject(&device(), asked(attributes), &names, &NameSpace::Reach(space)) {
            Ok(name) => Ok(name.to_string()),
            Err(Refusal::OutsideProfile { field, why }) if field == "subject" => Err(why),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn i18_a_subject_has_what_the_profile_asks_for_and_nothing_else() {
        use AttributeType::{CommonName, Country, Organization, OrganizationalUnit, SerialNumber, Title};
        let all = Reach::All;
        assert_eq!(text(&[(SerialNumber, "7")], &all), Ok(canonical("serialNumber=7,C=DE")));
        let more = [(Country, "FR"), (Organization, "Evil"), (Title, "King"), (SerialNumber, "7")];
        assert_eq!(text(&more, &all), text(&[(SerialNumber, "7")], &all));
        let named = [(SerialNumber, "7"), (CommonName, "A.EXAMPLE"), (OrganizationalUnit, "x")];
        assert!(text(&named, &all).unwrap().starts_with("CN=a.example,"), "{:?}", text(&named, &all));
        assert!(text(&[(SerialNumber, "7"), (CommonName, "Ann@B.example")], &all).is_ok());
        for wrong in [&[(CommonName, "a.example")][..], &[(SerialNumber, "7"), (CommonName, "b.example")]] {
            assert!(text(wrong, &all).is_err(), "{wrong:?}");
        }
        assert!(text(&[(SerialNumber, "7"), (CommonName, "ann@b.example")], &all).is_err());
    }

    /// serialNumber has no short name in RFC 4514, so it is written by its number.
    fn canonical(text: &str) -> String {
        let number = asked(&[(AttributeType::SerialNumber, "7")]).to_string();
        text.replace("serialNumber=7", &number)
    }

    #[test]
    fn i18_a_limited_requester_names_nobody_outside_its_space() {
        let space = Reach::Only(vec![String::from("b.example")]);
        let serial = |text| vec![(AttributeType::SerialNumber, text)];
        let verdicts: Vec<bool> = ["7", "dev7.b.example", "b.example", "dev7.c.example"]
            .into_iter()
            .map(|name| text(&serial(name), &space).is_ok())
            .collect();
        assert_eq!(verdicts, [false, true, true, false]);
    }

    #[test]
    fn rfc5280_a_1_a_common_name_that_is_too_long_is_left_out() {
        let long = ["a"; 60].join(".");
        let names = [GeneralName::Dns(long.clone())];
        let rule = SubjectRule::Composed(vec![rule(AttributeType::CommonName, AttributeSource::Names)]);
        // No request can have it either: the builder bounds it.
        let request = asked(&[(AttributeType::CommonName, &long[..63])]);
        assert!(subject(&rule, request, &names, &NameSpace::Reach(&Reach::All)).is_err());
        assert!(
            subject(&rule, DistinguishedName::empty(), &names, &NameSpace::Reach(&Reach::All))
                .unwrap()
                .is_empty()
        );
    }
}
