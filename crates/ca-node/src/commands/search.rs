//! cert list, count, export; revoke --filter.

use ca_http::wire::{CertificateSummary, CertificatesAnswer, RevocationsAnswer};
use hyper::Method;
use serde_json::json;

use crate::cli::Format;
use crate::client::Connection;
use crate::failure::Failure;
use crate::output::{Progress, data, made, talk};

/// Certificates asked for at a time: the most that a page holds.
const PAGE: usize = 1000;

pub(super) async fn list(connection: &Connection, output: Format, filter: &str) -> Result<(), Failure> {
    let heading = "SERIAL\tCA\tPROFILE\tSTATUS\tNOT AFTER\tNAMES";
    // Not before the filter has been read: a refusal stands alone.
    let mut heading = (output == Format::Table).then_some(heading);
    each(connection, filter, |one| match output {
        Format::Table => {
            heading.take().into_iter().for_each(data);
            let CertificateSummary { serial, ca, profile, status, not_after, subject, names, .. } = one;
            let names = if names.is_empty() { subject } else { names.join(",") };
            data(&format!("{serial}\t{ca}\t{profile}\t{status}\t{not_after}\t{names}"));
            Ok(())
        }
        // One object a line: what is found may be too much for one array.
        Format::Json | Format::Pem => {
            data(&serde_json::to_string(&one).map_err(Failure::internal)?);
            Ok(())
        }
    })
    .await?;
    heading.into_iter().for_each(data);
    Ok(())
}

pub(super) async fn count(connection: &Connection, filter: &str) -> Result<(), Failure> {
    let (mut count, progress) = (0_u64, Progress::begin("counted"));
    each(connection, filter, |_| {
        count = count.saturating_add(1);
        progress.add(1);
        Ok(())
    })
    .await?;
    drop(progress);
    data(&count.to_string());
    Ok(())
}

pub(super) async fn export(connection: &Connection, filter: &str) -> Result<(), Failure> {
    let mut found = Vec::new();
    each(connection, filter, |one| {
        // What was abandoned has no certificate.
        if one.status != "abandoned" {
            found.push((one.ca, one.serial));
        }
        Ok(())
    })
    .await?;
    let progress = Progress::begin("exported");
    for (ca, serial) in &found {
        let certificate = connection.get(&format!("/api/v1/certificates/{serial}?ca={ca}")).await?;
        let pem = certificate.get("certificate").and_then(serde_json::Value::as_str).unwrap_or_default();
        progress.data(pem.trim_end());
        progress.add(1);
    }
    drop(progress);
    made("Exported", &format!("{} certificates", found.len()));
    Ok(())
}

/// Goes on page by page. When it breaks off, the same command goes on: what is revoked is found no more to be done.
pub(super) async fn revoke(
    connection: &Connection,
    filter: &str,
    reason: &str,
    dry_run: bool,
) -> Result<(), Failure> {
    let (mut cursor, mut count) = (None::<String>, 0_usize);
    let progress = Progress::begin(if dry_run { "to revoke" } else { "revoked" });
    loop {
        let body = json!({ "filter": filter, "reason": reason, "dry_run": dry_run });
        let mut body = body;
        if let (Some(cursor), Some(fields)) = (&cursor, body.as_object_mut()) {
            fields.insert("cursor".to_owned(), json!(cursor));
        }
        let body = serde_json::to_vec(&body).map_err(Failure::internal)?;
        let headers = [("content-type", "application/json")];
        let answer = connection.call(Method::POST, "/api/v1/revocations", &headers, Some(body)).await;
        let answer =
            answer.inspect_err(|_| talk(&format!("{count} were revoked; the same command goes on")))?;
        let page: RevocationsAnswer = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
        for one in &page.revoked {
            progress.data(&format!("{}\t{}", one.serial, one.ca));
        }
        progress.add(page.revoked.len());
        count = count.saturating_add(page.revoked.len());
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    drop(progress);
    made(if dry_run { "Would revoke" } else { "Revoked" }, &format!("{count} certificates"));
    Ok(())
}

async fn each(
    connection: &Connection,
    filter: &str,
    mut one: impl FnMut(CertificateSummary) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut cursor = None::<String>;
    loop {
        let mut path = format!("/api/v1/certificates?limit={PAGE}&filter={}", escaped(filter));
        if let Some(cursor) = &cursor {
            path.push_str(&format!("&cursor={cursor}"));
        }
        let answer = connection.call(Method::GET, &path, &[], None).await?;
        let page: CertificatesAnswer = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
        page.certificates.into_iter().try_for_each(&mut one)?;
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
}

/// RFC 3986 §2.1: everything but the unreserved characters.
pub(super) fn escaped(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    text.bytes()
        .map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3986_2_1_what_is_reserved_is_escaped() {
        assert_eq!(escaped("name=*.a-b.test expires<2027"), "name%3D%2A.a-b.test%20expires%3C2027");
        assert_eq!(escaped("ä&+%"), "%C3%A4%26%2B%25");
    }
}
