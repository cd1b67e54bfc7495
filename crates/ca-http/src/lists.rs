//! `/api/v1/cas/{ca}/crl`: which lists of revocations a CA has, and to make them anew. The lists themselves are at the
//! status service, for everybody.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ca_authority::Ports;
use ca_authority::crl::Crl;
use ca_core::ids::{CaId, Digest};
use ca_core::outcome::Refusal;
use ca_core::shards::{ListId, ListKind};

use crate::answer::json;
use crate::cas::named;
use crate::doors::Doors;
use crate::extract::Path;
use crate::problem::Problem;
use crate::wire::ListAnswer;

/// `GET /api/v1/cas/{ca}/crl`
pub(crate) async fn show<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (ca, _) = named(&doors, &name)?;
    json(StatusCode::OK, &served(&doors, &ca)?)
}

/// `POST /api/v1/cas/{ca}/crl`
pub(crate) async fn renew<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (ca, _) = named(&doors, &name)?;
    let (authority, of) = (doors.authority.clone(), ca.clone());
    doors.act(async move { authority.publish_all_crls(&of).await }).await?;
    json(StatusCode::OK, &served(&doors, &ca)?)
}

/// Every list that is served here and now, each complete list before its delta.
fn served<P: Ports>(doors: &Doors<P>, ca: &CaId) -> Result<Vec<ListAnswer>, Problem> {
    let register = doors.register();
    let issuer = register.issuer(ca)?.ok_or_else(|| Refusal::UnknownCa { ca: ca.clone() })?;
    let cluster = register.cluster()?.ok_or(Refusal::NotInitialised)?;
    let mut lists = Vec::new();
    for list in issuer.lists(ca) {
        for kind in [ListKind::Complete, ListKind::Delta] {
            let Some(crl) = doors.authority.crl(&list, kind)? else { continue };
            lists.push(described(&list, kind, cluster.urls.crl(&list, kind), &crl));
        }
    }
    Ok(lists)
}

fn described(list: &ListId, kind: ListKind, url: String, crl: &Crl) -> ListAnswer {
    ListAnswer {
        list: list.to_string(),
        kind: match kind {
            ListKind::Complete => "complete",
            ListKind::Delta => "delta",
        }
        .to_owned(),
        url,
        number: format!("{:x}", crl.cut.number.0),
        base: crl.cut.base.map(|base| format!("{:x}", base.number.0)),
        this_update: crl.cut.this_update.to_string(),
        next_update: crl.cut.next_update.to_string(),
        entries: crl.entries,
        octets: crl.der.len(),
        sha256: Digest::of(&crl.der).to_string(),
    }
}
