//! `docs/openapi.json`, and whether answers keep to it: every answer of every test in this binary is looked up there.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;

use crate::world::{Answer, World, get};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap());

/// Mechanism: `UPDATE_EXPECT=1` writes the file anew.
#[tokio::test]
async fn docs_openapi_json_is_what_the_api_serves() {
    let world = World::new().await;
    let answer = world.undocumented(None, get("/api/v1/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    expect_test::expect_file!["../../../../docs/openapi.json"].assert_eq(&answer.text());
}

/// That every route has a rule and a description is so by the type of the table. This is about their contents.
#[test]
fn every_route_is_described() {
    let mut ids = Vec::new();
    for (path, method, operation) in operations() {
        let at = format!("{method} {path}");
        ids.push(operation["operationId"].as_str().unwrap());
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{at}");
        for parameter in operation["parameters"].as_array().unwrap() {
            let text = parameter["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{at}: {}: say in `in_path` what it is", parameter["name"]);
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{at}: what does it give?");
        assert!(!responses.contains_key("0"), "{at}: a slug without a status: {responses:?}");
        for (status, response) in responses {
            assert!(!response["description"].as_str().unwrap().is_empty(), "{at}: {status}");
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each operation has an id of its own");
    assert!(count >= 20, "{count}");
}

/// Every reference leads somewhere.
#[test]
fn every_reference_is_kept() {
    let text = DOCUMENT.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(DOCUMENT.pointer(reference).is_some(), "{reference}");
    }
}

/// Panics on an answer that the document does not foresee.
pub(crate) fn keeps_to_it(method: &Method, path: &str, answer: &Answer) {
    let at = format!("{method} {path}: {} {}", answer.status, answer.text());
    let matching = operations().filter(|(template, ..)| matches(template, path));
    // As the router has it: what is written out comes before what stands in braces.
    let Some(template) = matching.map(|(template, ..)| template).min_by_key(|template| braces(template))
    else {
        assert_eq!((answer.status, answer.slug().as_str()), (404, "not-found"), "{at}");
        return;
    };
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let operation = &DOCUMENT["paths"][template][method.as_str().to_lowercase()];
    if operation.is_null() {
        assert_eq!((answer.status, answer.slug().as_str()), (405, "method-not-allowed"), "{at}");
        return;
    }
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "this status is not documented: {at}");
    for header in response["headers"].as_object().unwrap().keys().filter(|name| *name != "Retry-After") {
        assert!(answer.headers.contains_key(header.as_str()), "no {header}: {at}");
    }
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
    let content = response["content"].as_object();
    let known = content.is_some_and(|content| content.contains_key(media_type));
    assert!(known || answer.body.is_empty(), "`{media_type}` is not documented: {at}");
    if media_type == "application/problem+json" {
        let types = &response["content"][media_type]["schema"]["properties"]["type"]["enum"];
        let kind = format!("urn:ca-node:problem:{}", answer.slug());
        assert!(
            types.as_array().unwrap().contains(&Value::String(kind)),
            "this slug is not documented: {at}"
        );
    }
}

pub(crate) fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let fits = |(word, here): (&&str, &&str)| word == here || (word.starts_with('{') && !here.is_empty());
    template.len() == path.len() && template.iter().zip(&path).all(fits)
}

fn braces(template: &str) -> usize {
    template.matches('{').count()
}
