//! The API's description, OpenAPI 3.1: made of the table of routes, served with a page that renders it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::extract::Extension;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use ca_core::roles::Role;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::answer::typed;
use crate::error::DoorError;
use crate::explain::explain;
use crate::extract::Path;
use crate::guard::{Consistency, Rule};
use crate::problem::{Problem, ProblemBody, retry_after_of, status_of};
use crate::route::About;

/// The document as it is served.
#[derive(Clone, Debug)]
pub(crate) struct Document(Bytes);

/// `GET /api/v1/openapi.json`
pub(crate) async fn show(Extension(Document(text)): Extension<Document>) -> Response {
    typed(StatusCode::OK, "application/json", text)
}

/// `GET /api/docs`: the page.
pub(crate) async fn page() -> Response {
    let mut response = typed(StatusCode::OK, "text/html; charset=utf-8", include_str!("openapi/page.html"));
    // It needs nothing from elsewhere, and runs nothing but its own file.
    let policy = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// `GET /api/docs/{file}`: what the page is made of.
pub(crate) async fn page_file(Path(file): Path<String>) -> Result<Response, Problem> {
    let (media_type, text) = match file.as_str() {
        "page.css" => ("text/css; charset=utf-8", include_str!("openapi/page.css")),
        "page.js" => ("text/javascript; charset=utf-8", include_str!("openapi/page.js")),
        _ => return Err(DoorError::NotFound.into()),
    };
    Ok(typed(StatusCode::OK, media_type, text))
}

impl Document {
    /// The document of these routes. There is one table, so it is made once.
    pub(crate) fn of<'a>(routes: impl Iterator<Item = &'a About>) -> Self {
        static MADE: OnceLock<Document> = OnceLock::new();
        MADE.get_or_init(|| Self::made(routes)).clone()
    }

    fn made<'a>(routes: impl Iterator<Item = &'a About>) -> Self {
        let mut text = serde_json::to_string_pretty(&document(routes)).unwrap_or_default();
        // Doc comments link to our types; readers of the document have only the names.
        text = text.replace("[`", "`").replace("`]", "`");
        text.push('\n');
        Self(Bytes::from(text))
    }
}

fn document<'a>(routes: impl Iterator<Item = &'a About>) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut schemas = BTreeMap::from([(ProblemBody::name().into_owned(), json!(ProblemBody::schema()))]);
    let (mut nested, mut chapters) = (Vec::new(), Vec::new());
    ProblemBody::schemas(&mut nested);
    schemas.extend(nested.into_iter().map(|(name, schema)| (name, json!(schema))));
    for about in routes {
        paths.entry(about.path).or_default().insert(about.method.to_owned(), operation(about));
        schemas.extend(about.schemas.clone());
        let chapter = json!({ "name": about.chapter });
        if !chapters.contains(&chapter) {
            chapters.push(chapter);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ca-node",
            "version": "v1",
            "description": INTRODUCTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": chapters,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": headers(),
            "securitySchemes": {
                "clientCertificate": {
                    "type": "mutualTLS",
                    "description": "A certificate whose key has a grant. The names beside a route are roles, of \
                                    which one is enough.",
                },
                "enrolmentToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "For who has no certificate yet: good for one.",
                },
            },
        },
    })
}

const INTRODUCTION: &str = "Certificates from a quorum: any node answers any request.\n\n\
    Times are RFC 3339 in UTC, serials and digests lower-case hexadecimal, certificates PEM. Requests refuse unknown \
    fields; answers may grow. A JSON body is read whatever its Content-Type claims. Every GET also answers HEAD.\n\n\
    Every answer has `Ca-Index`, the entry of the issuance log that it has seen. A request with `Ca-Min-Index` waits \
    until the node has seen that entry: so you read on one node what you wrote on another.\n\n\
    Errors are problem details (RFC 9457). The end of `type` is a slug that `ca-node explain` explains.";

fn operation(about: &About) -> Value {
    let mut operation = json!({
        "operationId": operation_id(about),
        "tags": [about.chapter],
        "summary": about.summary,
        "security": security(about.rule),
        "x-open-to": open_to(about.rule),
        "parameters": parameters(about),
        "responses": responses(about),
    });
    if !about.text.is_empty() {
        set(&mut operation, "description", json!(about.text));
    }
    if let Some(body) = &about.body {
        set(&mut operation, "requestBody", body.clone());
    }
    operation
}

/// `post-certificates-serial-revoke`
fn operation_id(about: &About) -> String {
    let words = about.path.split('/').filter(|word| !["", "api", "v1"].contains(word));
    let words = words.map(|word| word.trim_matches(['{', '}']).replace('.', "-"));
    std::iter::once(about.method.to_owned()).chain(words).collect::<Vec<_>>().join("-")
}

fn security(rule: Rule) -> Value {
    match rule {
        Rule::Anyone => json!([]),
        Rule::AnyCertificate | Rule::AnyRole => json!([{ "clientCertificate": [] }]),
        Rule::Has(roles) => of_roles(roles).collect(),
        Rule::HasOrEnrols(roles) => of_roles(roles).chain([json!({ "enrolmentToken": [] })]).collect(),
    }
}

fn of_roles(roles: &[Role]) -> impl Iterator<Item = Value> {
    roles.iter().map(|role| json!({ "clientCertificate": [role.as_str()] }))
}

/// For people.
fn open_to(rule: Rule) -> String {
    match rule {
        Rule::Anyone => "anyone".to_owned(),
        Rule::AnyCertificate => "any client certificate".to_owned(),
        Rule::AnyRole => "any role".to_owned(),
        Rule::Has(roles) => words(roles),
        Rule::HasOrEnrols(roles) => format!("{}, an enrolment token", words(roles)),
    }
}

fn words(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

fn parameters(about: &About) -> Vec<Value> {
    let named = about.path.split('/').filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = named.map(in_path).chain(about.parameters.iter().cloned()).collect();
    if about.rule != Rule::Anyone && about.method == "get" {
        let words = Consistency::ALL.map(|(word, _)| word);
        all.push(json!({
            "name": Consistency::PARAMETER, "in": "query", "required": false,
            "description": "`linearizable` asks a quorum first; `bounded`, the default, does if this node has had no \
                            word of one for 10 s; `local` never does",
            "schema": { "type": "string", "enum": words },
        }));
    }
    if about.rule != Rule::Anyone {
        all.push(json!({
            "name": "Ca-Min-Index", "in": "header", "required": false,
            "description": "an entry of the log that the answer must have seen",
            "schema": { "type": "integer", "minimum": 0 },
        }));
    }
    all
}

/// A name in braces means the same in every path.
fn in_path(name: &str) -> Value {
    const NAME: &str = "^[a-z0-9-]{1,32}$";
    let (text, pattern) = match name {
        "serial" => (
            "the serial in hexadecimal, in any spelling: `0x`, colons, capitals",
            "^(0[xX])?[0-9A-Fa-f]{1,2}(:?[0-9A-Fa-f]{2}){0,19}(\\.(pem|der))?$",
        ),
        "ca" => ("the name of a CA", NAME),
        "name" => ("the name of a profile", NAME),
        "key" => (
            "SHA-256 of a public key (SubjectPublicKeyInfo) in hexadecimal, as `whoami` shows it",
            "^(spki:)?[0-9A-Fa-f]{64}$",
        ),
        "id" => ("the digest of a token's secret, as it is listed", "^[0-9A-Fa-f]{64}$"),
        "file" => ("the name of a file", "^[a-z0-9.-]{1,64}$"),
        _ => ("", ""),
    };
    let schema = json!({ "type": "string", "pattern": pattern });
    json!({ "name": name, "in": "path", "required": true, "description": text, "schema": schema })
}

fn responses(about: &About) -> BTreeMap<String, Value> {
    let refused = problems(about).into_iter().map(|(status, slugs)| (status.to_string(), refusal(&slugs)));
    let given = about.answers.iter().map(|(status, (text, bodies))| {
        let content: BTreeMap<&str, Value> =
            bodies.iter().map(|(media_type, schema)| (*media_type, json!({ "schema": schema }))).collect();
        let mut answer = json!({ "description": text, "headers": told(&about.tells) });
        if !content.is_empty() {
            set(&mut answer, "content", json!(content));
        }
        (status.to_string(), answer)
    });
    // A route may give what is otherwise a problem's status: `/readyz` says 503 in a word.
    refused.chain(given).collect()
}

/// By status, the slugs of a route: its own, and those that any route of its kind may answer with.
fn problems(about: &About) -> BTreeMap<u16, Vec<&'static str>> {
    let guarded: &[&str] = match about.rule {
        Rule::Anyone => &[],
        Rule::AnyCertificate => &[
            "bad-request",
            "behind",
            "client-certificate-invalid",
            "no-client-certificate",
            "no-quorum",
            "rate-limited",
            "stopping",
        ],
        Rule::AnyRole | Rule::Has(_) | Rule::HasOrEnrols(_) => &[
            "bad-request",
            "behind",
            "client-certificate-invalid",
            "forbidden",
            "no-client-certificate",
            "no-quorum",
            "rate-limited",
            "stopping",
        ],
    };
    let mut slugs = about.slugs.clone();
    slugs.extend(guarded);
    slugs.extend(["deadline", "internal", "stopping"]);
    if about.path.contains('{') {
        slugs.insert("bad-request");
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for slug in slugs {
        by_status.entry(status_of(slug).unwrap_or_default()).or_default().push(slug);
    }
    by_status
}

fn refusal(slugs: &[&'static str]) -> Value {
    let lines = slugs.iter().map(|slug| {
        let title = explain(slug).map_or("", |known| known.title);
        format!("- `{slug}`: {title}.")
    });
    let types: Vec<String> = slugs.iter().map(|slug| format!("{}{slug}", ProblemBody::TYPE_PREFIX)).collect();
    let schema = format!("#/components/schemas/{}", ProblemBody::name());
    let retry = slugs.iter().any(|slug| retry_after_of(slug).is_some());
    json!({
        "description": lines.collect::<Vec<_>>().join("\n"),
        "headers": told(if retry { &["Retry-After"] } else { &[] }),
        "content": {
            "application/problem+json": {
                "schema": { "$ref": schema, "properties": { "type": { "enum": types } } },
            },
        },
    })
}

/// References to these headers and to those of every answer.
fn told(names: &[&'static str]) -> BTreeMap<&'static str, Value> {
    let all = ["Ca-Index", "X-Request-Id"].into_iter().chain(names.iter().copied());
    all.map(|name| (name, json!({ "$ref": format!("#/components/headers/{name}") }))).collect()
}

fn headers() -> Value {
    let header = |text: &str, kind: &str| json!({ "description": text, "schema": { "type": kind } });
    json!({
        "Ca-Index": header("the entry of the issuance log that the answer has seen", "integer"),
        "X-Request-Id": header("the request's id, as in the node's log", "string"),
        "Retry-After": header("after so many seconds another try may be worth it", "integer"),
        "ETag": header("the version of what was read, for `If-Match` and `If-None-Match`", "string"),
        "Location": header("where the thing that was made is read", "string"),
    })
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(key.to_owned(), value);
    }
}
