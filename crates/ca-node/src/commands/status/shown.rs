//! What people see of it.

use ca_authority::ports::Clock as _;
use ca_x509::time::UnixSeconds;

use super::asked::{Asked, Looked};
use super::verdict::{Verdict, spare};
use crate::output::{data, talk};
use crate::ports::SystemClock;

pub(super) fn show(looked: &Looked, verdict: Verdict) {
    talk(&headline(looked, verdict));
    data("NODE\tROLE\tSTATE\tTERM\tAPPLIED\tLAG\tDIGEST\tAPI");
    let highest = told(looked).map(|told| told.applied).max().unwrap_or_default();
    for asked in &looked.members {
        data(&line(asked, highest));
    }
    proofs(looked).iter().for_each(|proof| talk(proof));
    looked.members.iter().flat_map(warnings).for_each(|warning| talk(&warning));
}

fn told(looked: &Looked) -> impl Iterator<Item = &ca_http::wire::StandingAnswer> {
    looked.members.iter().filter_map(|asked| asked.told.as_ref().ok())
}

fn headline(looked: &Looked, verdict: Verdict) -> String {
    let (nodes, tokens) = spare(looked);
    let count = |count: usize, what: &str| match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    };
    let digest = match (looked.equal, told(looked).next()) {
        (Some(true), Some(one)) => {
            let (digest, equal) = (short(&one.digest), told(looked).count());
            format!(
                "   index {}   digest {digest} (equal on {equal} of {})",
                one.applied,
                looked.members.len()
            )
        }
        _ => String::new(),
    };
    let Looked { name, id, .. } = looked;
    let (id, word) = (short(id), verdict.word());
    format!("{name} {id}   {word}   may lose {}, {}{digest}", count(nodes, "node"), count(tokens, "token"))
}

fn line(asked: &Asked, highest: u64) -> String {
    let (name, api) = (&asked.member.name, &asked.member.api_address);
    let told = match &asked.told {
        Ok(told) => told,
        Err(failure) => return format!("{name}\t-\tsilent: {}\t-\t-\t-\t-\t{api}", failure.what),
    };
    let role = match (asked.leads(), told.votes) {
        (true, _) => "leader",
        (false, true) => "voter",
        (false, false) => "learner",
    };
    let state = asked.unready.as_deref().unwrap_or("ready");
    let (term, applied, digest) = (told.term, told.applied, short(&told.digest));
    let lag = highest.saturating_sub(applied);
    format!("{name}\t{role}\t{state}\t{term}\t{applied}\t{lag}\t{digest}\t{api}")
}

/// What was done to know it.
fn proofs(looked: &Looked) -> Vec<String> {
    let proven =
        || looked.members.iter().filter_map(|asked| Some((&asked.member.name, asked.proof.as_ref().ok()?)));
    let writes =
        proven().filter_map(|(name, proof)| Some(format!("{name} {}", ms(proof.write.as_ref()?.took_us))));
    let signs = proven().filter_map(|(name, proof)| {
        let longest = proof.signatures.iter().map(|signed| signed.took_us).collect::<Option<Vec<_>>>()?;
        Some(format!("{name} {}", ms(longest.into_iter().max()?)))
    });
    let since: Vec<UnixSeconds> =
        looked.members.iter().filter_map(|asked| asked.status.as_ref().ok().copied()).collect();
    let fresh = since.iter().min().map(|oldest| {
        let age = SystemClock.now().seconds().0.saturating_sub(oldest.0);
        format!("va ok {} of {}, fresh as of {age} s ago", since.len(), looked.members.len())
    });
    let listed =
        |what: &str, found: Vec<String>| (!found.is_empty()).then(|| format!("{what} {}", found.join(", ")));
    let lines = [listed("write ok", writes.collect()), listed("sign ok", signs.collect()), fresh];
    lines.into_iter().flatten().collect()
}

/// Each with the command that ends it.
fn warnings(asked: &Asked) -> Vec<String> {
    let name = &asked.member.name;
    if let Err(failure) = &asked.told {
        return vec![warning(
            &format!("{name} does not answer: {}", failure.what),
            &format!("on the machine of {name}: ca-node server -c FILE"),
        )];
    }
    let mut warnings = Vec::new();
    if let Some(why) = &asked.unready {
        warnings.push(warning(&format!("{name} is not ready: {why}"), "ca-node status --wait"));
    }
    if asked.told.as_ref().is_ok_and(|told| !told.votes) {
        warnings.push(warning(&format!("{name} does not vote yet"), "ca-node status --wait"));
    }
    match &asked.proof {
        Ok(proof) => {
            if let Some(why) = &proof.no_write {
                warnings.push(unproven(name, "cannot write", &why.detail, &why.slug));
            }
            for signed in &proof.signatures {
                if let Some(why) = &signed.no_signature {
                    let what = format!("does not sign with the key of `{}`", signed.ca);
                    warnings.push(unproven(name, &what, &why.detail, &why.slug));
                }
            }
        }
        Err(failure) => warnings.push(unproven(name, "has proven nothing", &failure.what, &failure.slug)),
    }
    if let Err(failure) = &asked.status {
        let what = "does not tell the status of your certificate";
        warnings.push(unproven(name, what, &failure.what, &failure.slug));
    }
    warnings
}

fn unproven(name: &str, what: &str, why: &str, slug: &str) -> String {
    warning(&format!("{name} {what}: {why}"), &format!("ca-node explain {slug}"))
}

fn warning(what: &str, next: &str) -> String {
    format!("warn  {what}\n      next: {next}")
}

fn short(hex: &str) -> String {
    hex.chars().take(12).collect()
}

/// Microseconds as people read them.
fn ms(took_us: u64) -> String {
    format!("{}.{} ms", took_us / 1000, took_us % 1000 / 100)
}
