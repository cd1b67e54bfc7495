//! Issuing, asking and revoking, through every node.

use anyhow::{Result, ensure};

use super::{Scene, SceneParts};
use crate::limits::CRL_MAX;
use crate::poll::until_ok;
use crate::requests::{KINDS, Kind, Names, write_json};
use crate::status::Way;

/// Every kind of request, made by openssl, issued through each node, verified by openssl.
pub(super) fn every_kind_through_every_node(scene: &mut Scene<'_>) -> Result<()> {
    for kind in KINDS {
        let what = format!("{}: request by openssl, issued through each node, verified", kind.name);
        scene.step(&what, |at| {
            for node in at.cluster.nodes.clone() {
                let name = format!("{}-{}", kind.name, node.name);
                kind.make(at.shell, &name)?;
                write_json(at.shell, &name)?;
                at.caller.issue(&node, &name, &[])?;
                at.party.verify(&name, &at.cluster.root)?;
                names_are_there(at.shell, &kind, &name)?;
                at.good.push(name);
            }
            Ok(())
        })?;
    }
    scene.step("every serial only once", |at| {
        let mut serials = at.good.iter().map(|name| at.caller.serial(name)).collect::<Result<Vec<_>>>()?;
        serials.sort();
        let count = serials.len();
        serials.dedup();
        ensure!(serials.len() == count, "{count} certificates with {} serials", serials.len());
        Ok(format!("{count} certificates"))
    })?;
    Ok(())
}

fn names_are_there(shell: &crate::shell::Shell, kind: &Kind, name: &str) -> Result<()> {
    let pem = format!("{name}.pem");
    let said = shell.run("openssl", &["x509", "-in", &pem, "-noout", "-ext", "subjectAltName"])?;
    let wanted = match kind.names {
        Names::One => 1,
        Names::Many(count) => count,
        Names::Wildcard => 2,
    };
    let got = said.text().matches("DNS:").count();
    ensure!(got == wanted, "{got} names instead of {wanted}\n{said}");
    Ok(())
}

/// The same idempotency key through every node: one certificate (I7).
pub(super) fn one_key_one_certificate(scene: &mut Scene<'_>) -> Result<()> {
    scene.step("one idempotency key through each node: one certificate", |at| {
        let mut serials = Vec::new();
        let body = at.shell.read(&format!("{}.json", first(at.good)))?;
        at.shell.write("once.json", body)?;
        for node in at.nodes() {
            at.caller.issue(node, "once", &["--header", "Idempotency-Key: demo-once"])?;
            serials.push(at.caller.serial("once")?);
        }
        serials.dedup();
        ensure!(serials.len() == 1, "one key has several certificates: {serials:?}");
        Ok(())
    })?;
    scene.step("the same key with another body is refused", |at| {
        let other = at.good.last().cloned().unwrap_or_default();
        let data = format!("@{other}.json");
        let more = ["--header", "Idempotency-Key: demo-once", "--data-binary", &data];
        let answer = at.caller.call(at.cluster.node(1)?, "/api/v1/certificates", &more)?;
        answer.problem(422, &["idempotency-mismatch"])?;
        Ok(())
    })
}

fn first(names: &[String]) -> &str {
    names.first().map_or("", String::as_str)
}

/// Good on every node, in every way to ask; what was never issued is unknown (I8).
pub(super) fn status_of_the_good(scene: &mut Scene<'_>) -> Result<()> {
    scene.step("issued through each node; good on every node within 1 s of it", |at| {
        let mut slowest = 0.0_f32;
        for node in at.cluster.nodes.clone() {
            let name = format!("soon-{}", node.name);
            let [kind, ..] = KINDS;
            kind.make(at.shell, &name)?;
            write_json(at.shell, &name)?;
            at.caller.issue(&node, &name, &[])?;
            slowest = slowest.max(at.seen(&name, "good")?);
            at.good.push(name);
        }
        Ok(format!("{slowest:.2} s at most"))
    })?;
    scene.step("OCSP says good: each node, POST and GET, with and without nonce", |at| {
        at.good.first().into_iter().try_for_each(|name| in_every_way(at, name, "good"))
    })?;
    scene.step("OCSP says unknown of a serial that was never issued", |at| {
        for node in at.nodes() {
            let status = at.party.ask_serial(node, "4d0f00d4d0f00d4d0f00d4d0f00d4d0f")?;
            ensure!(status == "unknown", "{}: {status}", node.name);
        }
        Ok(())
    })
}

fn in_every_way(at: &SceneParts<'_>, name: &str, wanted: &str) -> Result<()> {
    for node in at.nodes() {
        for way in Way::ALL {
            let status = at.party.ask(node, name, way)?;
            ensure!(status == wanted, "{} by {way:?}: {name} is {status}", node.name);
        }
    }
    Ok(())
}

/// Revoked through each node, seen on every node, in the same CRL everywhere.
pub(super) fn revoking(scene: &mut Scene<'_>) -> Result<()> {
    scene.step("revoked through each node; every node says so within 1 s of it", |at| {
        let mut slowest = 0.0_f32;
        for node in at.cluster.nodes.clone() {
            let name = at.good.remove(0);
            at.caller.revoke(&node, &at.caller.serial(&name)?, "keyCompromise")?;
            slowest = slowest.max(at.seen(&name, "revoked")?);
            in_every_way(at, &name, "revoked")?;
            at.revoked.push(name);
        }
        Ok(format!("{slowest:.2} s at most"))
    })?;
    scene.step(
        "one CRL, octet for octet, on all nodes; openssl verifies it and finds the revoked",
        |at| {
            let serials = at.revoked.iter().map(|name| at.caller.serial(name)).collect::<Result<Vec<_>>>()?;
            until_ok("one CRL with all revoked serials", CRL_MAX, || {
                at.party.equal_crl(&at.nodes(), &serials)
            })
        },
    )?;
    scene.step("revoking again changes nothing", |at| {
        let name = first(at.revoked).to_owned();
        let serial = at.caller.serial(&name)?;
        let mut dates = Vec::new();
        for node in at.nodes() {
            let answer = at.caller.try_revoke(node, &serial, "superseded")?;
            answer.expect(200)?;
            dates.push(answer.json()?.get("revoked_at").cloned());
        }
        dates.dedup();
        ensure!(dates.len() == 1, "the date changed: {dates:?}");
        Ok(())
    })
}
