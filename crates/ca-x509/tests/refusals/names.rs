//! Host names, mailboxes, URIs and the other forms of GeneralName.

use ca_x509::DecodeError;
use ca_x509::name::{GeneralName, HostName};

use crate::write::{attribute, common_name, oid, seq, tlv, utf8};
use crate::{TAKEN, Verdict, check};

fn row(text: &'static str, verdict: Verdict) -> (&'static str, Box<str>, Verdict) {
    (text, text.into(), verdict)
}

#[test]
fn host_names() {
    let label = "a".repeat(63);
    let longest = format!("{0}.{0}.{0}.{1}", label, "a".repeat(61));
    let long: [(&str, Box<str>, Verdict); 6] = [
        ("a label of 63", label.clone().into(), TAKEN),
        ("a label of 64", format!("{label}a").into(), Err("label of 64 characters, where 1 to 63")),
        ("253 octets", longest.clone().into(), TAKEN),
        ("254 octets", format!("{longest}a").into(), Err("254 characters, where 1 to 253")),
        ("253 octets below a wildcard", format!("*.{longest}").into(), TAKEN),
        ("10,000 labels", "a.".repeat(10_000).into(), Err("20000 characters")),
    ];
    check(&long, |text| GeneralName::Dns(text.into()).check());
    check(
        &[
            row("a.example", TAKEN),
            row("A.EXAMPLE", TAKEN),
            row("localhost", TAKEN),
            row("1and1.example", TAKEN),
            row("1.2.3.example", TAKEN),
            row("a-b--c.example", TAKEN),
            row("*.a.example", TAKEN),
            row("", Err("0 characters")),
            row(".", Err("label of 0 characters")),
            row(".a.example", Err("label of 0 characters")),
            row("a.example.", Err("label of 0 characters")),
            row("a..example", Err("label of 0 characters")),
            row("*", Err("`*` has characters other than")),
            row("*.", Err("0 characters")),
            row("**.a.example", Err("characters other than")),
            row("*.*.a.example", Err("characters other than")),
            row("a.*.example", Err("characters other than")),
            row("a*.example", Err("characters other than")),
            row("*a.example", Err("characters other than")),
            row("a.example.*", Err("characters other than")),
            row("a_b.example", Err("`a_b` has characters other than")),
            row("_acme.example", Err("characters other than")),
            row("-a.example", Err("begins or ends with a hyphen")),
            row("a-.example", Err("begins or ends with a hyphen")),
            row("a.-", Err("begins or ends with a hyphen")),
            row("a b.example", Err("characters other than")),
            row(" a.example", Err("characters other than")),
            row("a.example\n", Err(r"`example\n` has characters")),
            row("a\0.example", Err(r"`a\u{0}` has characters")),
            row("a.example\0.evil.example", Err("characters other than")),
            row("a.example/", Err("characters other than")),
            row("a.example:443", Err("characters other than")),
            row("a@b.example", Err("characters other than")),
            row("https://a.example", Err("characters other than")),
            row("m\u{fc}nchen.example", Err(r"`m\u{fc}nchen` has characters")),
            row("a\u{3002}example", Err("characters other than")),
            row("192.0.2.1", Err("looks like an ip address")),
            row("1.2", Err("looks like an ip address")),
            row("127.1", Err("looks like an ip address")),
            row("a.example.1", Err("looks like an ip address")),
            row("0x7f000001", Err("looks like an ip address")),
            row("127.0x1", Err("looks like an ip address")),
            row("*.1", Err("looks like an ip address")),
            row("2001:db8::1", Err("characters other than")),
            row("[2001:db8::1]", Err("characters other than")),
            row("ab--c.example", Err("`ab--c` is reserved")),
            row("r3---a.example", Err("is reserved")),
        ],
        |text| GeneralName::Dns(text.into()).check(),
    );
}

#[test]
fn international_names() {
    check(
        &[
            row("xn--mnchen-3ya.example", TAKEN),
            row("XN--Mnchen-3YA.example", TAKEN),
            row("*.xn--mnchen-3ya.example", TAKEN),
            row("xn--fa-hia.example", TAKEN),
            row("xn--mgbh0fb.xn--kgbechtv", TAKEN),
            // A-labels of nothing, of ASCII, and with damage.
            row("xn--.example", Err("begins or ends with a hyphen")),
            row("xn--a.example", Err("stands for no label")),
            row("xn--abc-.example", Err("begins or ends with a hyphen")),
            row("xn--99999999.example", Err("stands for no label")),
            row("xn--mnchen-3yA0.example", Err("international label")),
            row("xn--xn--a-0ya.example", Err("international label")),
            // What does not come back as it went: a capital, a full-width letter, a form that is not NFC.
            row("xn--mnchen-psa.example", Err("stands for no label")),
            row("xn--mi7c.example", Err("stands for no label")),
            row("xn--munchen-gie.example", Err("stands for no label")),
            row("xn--kha.example", Err("stands for no label")),
            // Symbols (RFC 5892), a joiner without reason (RFC 5892 A.1), a mark at the beginning (RFC 5891 §4.2.3.2).
            row("xn--n3h.example", Err("not permitted (RFC 5892 §3)")),
            row("xn--i-n3p.example", Err("not permitted (RFC 5892 §3)")),
            row("xn--ls8h.example", Err("not permitted (RFC 5892 §3)")),
            row("xn--ab-m1t.example", Err("stands for no label")),
            // Directions (RFC 5893 §2): a Latin letter in a Hebrew label, a digit before one.
            row("xn--1a-uld.example", Err("stands for no label")),
            row("0a.xn--4dbcagdahymbxekheh6e0a7fei0b", Err("stands for no label")),
        ],
        |text| GeneralName::Dns(text.into()).check(),
    );
    // U-labels are for `from_unicode` alone.
    check(
        &[
            row("m\u{fc}nchen.example", TAKEN),
            row("mu\u{308}nchen.example", TAKEN),
            row("\u{ff41}.example", TAKEN),
            row("\u{2603}.example", Err("not permitted (RFC 5892 §3)")),
            row("a\u{200b}\u{fc}.example", TAKEN),
            row("\u{308}a.example", Err("no form in ascii")),
            row("a\u{202e}b.example", Err("no form in ascii")),
            row("m\u{fc}n chen.example", Err("no form in ascii")),
            row("m\u{fc}n_chen.example", Err("no form in ascii")),
            row("m\u{fc}nchen..example", Err("no form in ascii")),
            row("m\u{fc}nchen.example.", Err("no form in ascii")),
        ],
        |text| HostName::from_unicode(text).map(drop),
    );
}

/// What policy refuses: names of mixed scripts are well-formed, and say so.
#[test]
fn mixed_scripts() {
    for (name, is_mixed) in [
        ("xn--80a1acny.com", false),
        ("xn--pypal-4ve.com", true),
        ("xn--ggle-0nda.com", true),
        ("xn--r8jz45g.xn--zckzah", false),
        ("paypal.com", false),
    ] {
        let host = HostName::parse(name).expect(name);
        assert_eq!(host.mixes_scripts(), is_mixed, "{name} ({})", host.to_unicode());
    }
}

#[test]
fn mailboxes() {
    let local = "a".repeat(64);
    let long: [(&str, Box<str>, Verdict); 3] = [
        ("64 before the @", format!("{local}@b.example").into(), TAKEN),
        ("65 before the @", format!("{local}a@b.example").into(), Err("64 before the @")),
        ("255 in all", format!("{local}@{0}.{0}.{0}", "b".repeat(63)).into(), Err("at most 254 octets")),
    ];
    check(&long, |text| GeneralName::Email(text.into()).check());
    check(
        &[
            row("a@b.example", TAKEN),
            row("a.b+c@b.example", TAKEN),
            row("!#$%&'*+-/=?^_`{|}~@b.example", TAKEN),
            row("a@localhost", TAKEN),
            row("a@xn--mnchen-3ya.example", TAKEN),
            row("", Err("an @ stands between")),
            row("a", Err("an @ stands between")),
            row("@", Err("0 characters")),
            row("a@", Err("0 characters")),
            row("@b.example", Err("Dot-string")),
            row("a@b@c.example", Err("Dot-string")),
            row(".a@b.example", Err("Dot-string")),
            row("a.@b.example", Err("Dot-string")),
            row("a..b@b.example", Err("Dot-string")),
            row("a b@b.example", Err("Dot-string")),
            row("a,b@b.example", Err("Dot-string")),
            row("\"a b\"@b.example", Err("Dot-string")),
            row("a(b)@b.example", Err("Dot-string")),
            row("A <a@b.example>", Err("characters other than")),
            row("a@b.example>", Err("characters other than")),
            row("mailto:a@b.example", Err("Dot-string")),
            row("a\0@b.example", Err("Dot-string")),
            row("a@b_c.example", Err("characters other than")),
            row("a@b.example.", Err("label of 0")),
            row("a@192.0.2.1", Err("looks like an ip address")),
            row("a@[192.0.2.1]", Err("characters other than")),
            row("\u{fc}@b.example", Err("Dot-string")),
            row("a@m\u{fc}nchen.example", Err("characters other than")),
            row("a@xn--n3h.example", Err("RFC 5892")),
        ],
        |text| GeneralName::Email(text.into()).check(),
    );
    check(
        &[
            row("\u{fc}@b.example", TAKEN),
            row("\u{fc}.a@xn--mnchen-3ya.example", TAKEN),
            row("a@b.example", Err("is an rfc822Name")),
            row("\u{fc}@m\u{fc}nchen.example", Err("characters other than")),
            row("\u{fc}\u{202e}@b.example", Err("Dot-string")),
            row("\u{fc}..a@b.example", Err("Dot-string")),
            row("\u{fc}", Err("an @ stands between")),
        ],
        |text| GeneralName::SmtpUtf8Mailbox(text.into()).check(),
    );
    check(
        &[
            row("a@b.example", TAKEN),
            row("\u{fc}@b", TAKEN),
            row("a", Err("one @")),
            row("@b", Err("one @")),
            row("a@", Err("one @")),
            row("a@b@c", Err("one @")),
        ],
        |text| GeneralName::UserPrincipalName(text.into()).check(),
    );
}

#[test]
fn uris() {
    check(
        &[
            row("http://a.example/", TAKEN),
            row("https://a.example:8443/b?c=d#e", TAKEN),
            row("https://user@a.example/", TAKEN),
            row("http://192.0.2.1/", TAKEN),
            row("http://[2001:db8::1]:80/", TAKEN),
            row("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", TAKEN),
            row("ldap:///CN=a,DC=example?certificateRevocationList;binary", TAKEN),
            row("ldap://a.example/CN=a%20b?cACertificate", TAKEN),
            row("ca-node:peer:0123:0:1", TAKEN),
            row("http://a.example", TAKEN),
            row("http://a.example:/", TAKEN),
            row("", Err("has a scheme")),
            row("/a/b", Err("has a scheme")),
            row("a.example/b", Err("has a scheme")),
            row("//a.example/", Err("has a scheme")),
            row("http:", Err("scheme-specific part")),
            row(":a", Err("a scheme has letters")),
            row("1http://a.example/", Err("a scheme has letters")),
            row("ht tp://a.example/", Err("a scheme has letters")),
            row("http://", Err("0 characters")),
            row("http:///a", Err("0 characters")),
            row("file:///etc/passwd", Err("0 characters")),
            row("http://:80/", Err("0 characters")),
            row("http://a_b.example/", Err("characters other than")),
            row("http://a.example./", Err("label of 0")),
            row("http://*.a.example/", Err("characters other than")),
            row("http://1.2.3/", Err("looks like an ip address")),
            row("http://a%2eexample/", Err("characters other than")),
            row("http://[::1/", Err("a bracket is closed")),
            row("http://[192.0.2.1]/", Err("brackets hold an ipv6 address")),
            row("http://[::1]a/", Err("nothing but a port")),
            row("http://[::1]:x/", Err("a port is a number")),
            row("http://a.example:65536/", Err("a port is a number")),
            row("http://a.example:+1/", Err("a port is a number")),
            row("http://a@b@c.example/", Err("one @")),
            row("http://a.example/b c", Err("characters are those of RFC 3986")),
            row("http://a.example/%", Err("characters are those of RFC 3986")),
            row("http://a.example/%2", Err("characters are those of RFC 3986")),
            row("http://a.example/%zz", Err("characters are those of RFC 3986")),
            row("http://a.example/#a#b", Err("characters are those of RFC 3986")),
            row("http://a.example/<b>", Err("characters are those of RFC 3986")),
            row("http://a.example/\\", Err("characters are those of RFC 3986")),
            row("http://a.example/\u{fc}", Err("characters are those of RFC 3986")),
            row("http://m\u{fc}nchen.example/", Err("characters other than")),
            row("http://xn--n3h.example/", Err("RFC 5892")),
        ],
        |text| GeneralName::Uri(text.into()).check(),
    );
}

fn name(what: &'static str, der: Vec<u8>, verdict: Verdict) -> (&'static str, Box<[u8]>, Verdict) {
    (what, der.into(), verdict)
}

/// GeneralNames as they stand in a certificate: what cannot be read at all.
#[test]
fn general_names_in_their_encoding() {
    let other = |kind: &str, value: &[u8]| tlv(0xa0, &[&oid(kind), &tlv(0xa0, &[value])]);
    const UPN: &str = "1.3.6.1.4.1.311.20.2.3";
    check(
        &[
            name("a name", tlv(0x82, &[b"a.example"]), TAKEN),
            name("an empty name", tlv(0x82, &[]), Err("dNSName is not 1 to 2048 visible ascii")),
            name("a name with a NUL", tlv(0x82, &[b"a\0b"]), Err("visible ascii")),
            name("a name with a blank", tlv(0x82, &[b"a b"]), Err("visible ascii")),
            name("a name in Latin-1", tlv(0x82, &[&[0xfc]]), Err("visible ascii")),
            name("a name in UTF-8", tlv(0x82, &["\u{fc}".as_bytes()]), Err("visible ascii")),
            name("a name of 2,049 octets", tlv(0x82, &[&[b'a'; 2049]]), Err("visible ascii")),
            name(
                "a name in parts",
                tlv(0xa2, &[&tlv(0x16, &[b"a"])]),
                Err("form [2] (dNSName) is not supported"),
            ),
            name("an empty mailbox", tlv(0x81, &[]), Err("rfc822Name is not")),
            name("an empty URI", tlv(0x86, &[]), Err("uniformResourceIdentifier is not")),
            name("an IPv4 address", tlv(0x87, &[&[192, 0, 2, 1]]), TAKEN),
            name("an IPv6 address", tlv(0x87, &[&[1; 16]]), TAKEN),
            name("an address of no octets", tlv(0x87, &[]), Err("0 octets, expected 4 or 16")),
            name("an address of 5 octets", tlv(0x87, &[&[1; 5]]), Err("5 octets")),
            name("an address in text", tlv(0x87, &[b"192.0.2.1"]), Err("9 octets")),
            name("an address and its mask", tlv(0x87, &[&[1; 8]]), Err("8 octets")),
            name("a distinguished name", tlv(0xa4, &[&common_name("a")]), TAKEN),
            name("an empty one", tlv(0xa4, &[&seq(&[])]), Err("it has an attribute")),
            name("one that is not DER", tlv(0xa4, &[&[0x30, 0x80, 0, 0]]), Err("not valid DER")),
            name("one without its tag", tlv(0xa4, &[&attribute("2.5.4.3", &utf8("a"))]), Err("tag 0x31")),
            name("two of them", tlv(0xa4, &[&seq(&[]).repeat(2)]), Err("not valid DER")),
            name("a principal name", other(UPN, &utf8("a@b.example")), TAKEN),
            name(
                "a principal name in IA5String",
                other(UPN, &tlv(0x16, &[b"a@b"])),
                Err("tag 0x16 where 0x0c"),
            ),
            name(
                "a principal name with a NUL",
                other(UPN, &utf8("a@b\0")),
                Err("userPrincipalName: 1 to 2048"),
            ),
            name("an empty principal name", other(UPN, &utf8("")), Err("userPrincipalName: 1 to 2048")),
            name("an empty otherName", tlv(0xa0, &[]), Err("lacks a field")),
            name("an otherName without a value", tlv(0xa0, &[&oid(UPN)]), Err("lacks a field")),
            name(
                "an unknown otherName",
                other("1.2.3", &utf8("a")),
                Err("form [0] (otherName) is not supported"),
            ),
            name("an x400Address", tlv(0xa3, &[]), Err("form [3] (x400Address)")),
            name("an ediPartyName", tlv(0xa5, &[]), Err("form [5] (ediPartyName)")),
            name("a registeredID", tlv(0x88, &[&[42]]), Err("form [8] (registeredID)")),
            name("a form that does not exist", tlv(0x89, &[&[42]]), Err("form [9] (unknown)")),
            name("a UTF8String", utf8("a.example"), Err("context-specific tag")),
        ],
        |der| {
            let request = crate::requests::with_names(&[der]);
            let parsed = ca_x509::request::CertificationRequest::parse(&request);
            let names = parsed.map_err(crate::requests::cause)?;
            Ok::<_, DecodeError>(names.requested_names()[0].check()?)
        },
    );
}
