//! One row of the API's table: where it is, whom it is open to, who answers, and what callers are told of it.

use std::collections::{BTreeMap, BTreeSet};

use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use ca_authority::Ports;
use serde_json::{Value, json};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use crate::doors::Doors;
use crate::guard::Rule;

/// A route with its rule and its description: the router, the guard and the OpenAPI document are made of it.
pub(crate) struct Route<P> {
    pub(crate) handler: MethodRouter<Doors<P>>,
    pub(crate) about: About,
}

/// What callers are told of a route; in the words of OpenAPI where these are JSON.
#[derive(Debug)]
pub(crate) struct About {
    /// `get`, `post`, `put`, `delete`.
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) rule: Rule,
    /// Which part of the API it belongs to.
    pub(crate) chapter: &'static str,
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    /// What else there is to say.
    pub(crate) text: &'static str,
    /// Beside those in the path.
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Value>,
    /// By status: what it means, and the schema of each media type.
    pub(crate) answers: BTreeMap<u16, (&'static str, BTreeMap<&'static str, Value>)>,
    /// Whether its answer has an entity tag.
    pub(crate) tagged: Tagged,
    /// Headers of these answers, beside those that every answer has.
    pub(crate) tells: Vec<&'static str>,
    /// The problems that a caller may meet, beside those that any route may have.
    pub(crate) slugs: BTreeSet<&'static str>,
    /// The shapes that the above refer to.
    pub(crate) schemas: BTreeMap<String, Value>,
}

/// Whether answers have entity tags (RFC 9110 §8.8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tagged {
    /// Who has it already need not get it again.
    Yes,
    /// It is new each time.
    No,
}

/// A route that nobody has described yet: it fits into no table.
#[must_use = "describe it, or no caller learns of it"]
pub(crate) struct Bare<P> {
    handler: MethodRouter<Doors<P>>,
    method: &'static str,
    path: &'static str,
    rule: Rule,
}

/// What may go wrong with any act: it needs the log.
const OF_ACTS: [&str; 8] = [
    "command-expired",
    "deadline",
    "no-quorum",
    "not-initialised",
    "not-known",
    "not-signing",
    "stopping",
    "too-busy",
];

/// What may go wrong when a token signs.
const OF_TOKENS: [&str; 6] =
    ["key-missing", "overtaken", "token-busy", "token-down", "token-timeout", "wrong-signature"];

/// What may go wrong with a body.
const OF_BODIES: [&str; 4] = ["bad-json", "bad-request", "body-too-large", "too-slow"];

pub(crate) fn get<P: Ports, T: 'static>(
    path: &'static str,
    rule: Rule,
    handler: impl Handler<T, Doors<P>>,
) -> Bare<P> {
    Bare { handler: routing::get(handler), method: "get", path, rule }
}

pub(crate) fn post<P: Ports, T: 'static>(
    path: &'static str,
    rule: Rule,
    handler: impl Handler<T, Doors<P>>,
) -> Bare<P> {
    Bare { handler: routing::post(handler), method: "post", path, rule }
}

pub(crate) fn put<P: Ports, T: 'static>(
    path: &'static str,
    rule: Rule,
    handler: impl Handler<T, Doors<P>>,
) -> Bare<P> {
    Bare { handler: routing::put(handler), method: "put", path, rule }
}

pub(crate) fn delete<P: Ports, T: 'static>(
    path: &'static str,
    rule: Rule,
    handler: impl Handler<T, Doors<P>>,
) -> Bare<P> {
    Bare { handler: routing::delete(handler), method: "delete", path, rule }
}

impl<P> Bare<P> {
    /// Says what it is: the chapter, a title, and what else callers should know (Markdown, perhaps empty).
    pub(crate) fn about(self, chapter: &'static str, summary: &'static str, text: &'static str) -> Route<P> {
        let Self { handler, method, path, rule } = self;
        let about = About {
            method,
            path,
            rule,
            chapter,
            summary,
            text,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            tagged: Tagged::No,
            tells: Vec::new(),
            slugs: BTreeSet::new(),
            schemas: BTreeMap::new(),
        };
        Route { handler, about }
    }
}

impl<P> Route<P> {
    /// What may follow the `?`: the very type that the handler reads.
    pub(crate) fn query<T: IntoParams>(mut self) -> Self {
        let parameters = T::into_params(|| Some(ParameterIn::Query));
        self.about.parameters.extend(parameters.iter().map(value_of));
        self.refuses(&["bad-request"])
    }

    /// A request header that may be given, and what it looks like.
    pub(crate) fn header(mut self, name: &'static str, text: &'static str, pattern: &'static str) -> Self {
        let header = json!({
            "name": name, "in": "header", "required": false, "description": text,
            "schema": { "type": "string", "pattern": pattern },
        });
        self.about.parameters.push(header);
        self.refuses(&["bad-request"])
    }

    /// It changes only what the caller has seen.
    pub(crate) fn if_match(self, text: &'static str) -> Self {
        self.header("If-Match", text, "^\"?[0-9]{1,9}\"?$")
    }

    /// A retry with the same `Idempotency-Key` is the same request.
    pub(crate) fn idempotent(self) -> Self {
        let text = "1 to 255 visible ASCII characters; the same key with the same body is the same request";
        self.header("Idempotency-Key", text, "^[!-~]{1,255}$")
    }

    /// What it reads has a version: who has it is told so, without it.
    pub(crate) fn tagged(mut self) -> Self {
        self.about.tagged = Tagged::Yes;
        self.about.answers.insert(304, ("you have it already", BTreeMap::new()));
        let text = "the ETag of what you have";
        self.header("If-None-Match", text, "^(W/)?\"[!#-~]{1,64}\"$").tells("ETag")
    }

    /// The JSON body.
    pub(crate) fn takes<T: ToSchema>(self) -> Self {
        self.with_body::<T>(true)
    }

    /// A JSON body that may be left out.
    pub(crate) fn may_take<T: ToSchema>(self) -> Self {
        self.with_body::<T>(false)
    }

    /// A JSON answer.
    pub(crate) fn gives<T: ToSchema>(mut self, status: u16, text: &'static str) -> Self {
        let schema = self.schema::<T>();
        self.answer(status, text, "application/json", schema)
    }

    /// A JSON array.
    pub(crate) fn gives_each<T: ToSchema>(mut self, status: u16, text: &'static str) -> Self {
        let items = self.schema::<T>();
        self.answer(status, text, "application/json", json!({ "type": "array", "items": items }))
    }

    /// An answer that is not JSON, perhaps beside one that is.
    pub(crate) fn gives_raw(self, status: u16, text: &'static str, media_type: &'static str) -> Self {
        self.answer(status, text, media_type, json!({ "type": "string" }))
    }

    /// A header of the answers that are no problems.
    pub(crate) fn tells(mut self, header: &'static str) -> Self {
        self.about.tells.push(header);
        self
    }

    /// Problems of its own.
    pub(crate) fn refuses(mut self, slugs: &[&'static str]) -> Self {
        self.about.slugs.extend(slugs);
        self
    }

    /// It puts something into the log.
    pub(crate) fn acts(self) -> Self {
        self.refuses(&OF_ACTS)
    }

    /// It asks a quorum, if what it looks for is not here.
    pub(crate) fn asks_a_quorum(self) -> Self {
        self.refuses(&["no-quorum", "stopping"])
    }

    /// It needs a signature of the token.
    pub(crate) fn signs(self) -> Self {
        self.acts().refuses(&OF_TOKENS)
    }

    fn with_body<T: ToSchema>(mut self, required: bool) -> Self {
        let schema = self.schema::<T>();
        self.about.body =
            Some(json!({ "required": required, "content": { "application/json": { "schema": schema } } }));
        self.refuses(&OF_BODIES)
    }

    fn answer(mut self, status: u16, text: &'static str, media_type: &'static str, schema: Value) -> Self {
        let (_, bodies) = self.about.answers.entry(status).or_insert((text, BTreeMap::new()));
        bodies.insert(media_type, schema);
        self
    }

    /// A reference to the shape, which is noted with all that it refers to.
    fn schema<T: ToSchema>(&mut self) -> Value {
        let name = T::name().into_owned();
        let mut shapes: Vec<(String, RefOr<Schema>)> = vec![(name.clone(), T::schema())];
        T::schemas(&mut shapes);
        self.about.schemas.extend(shapes.iter().map(|(name, shape)| (name.clone(), value_of(shape))));
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// What utoipa makes is JSON by construction.
fn value_of(shape: &impl serde::Serialize) -> Value {
    serde_json::to_value(shape).unwrap_or_default()
}
