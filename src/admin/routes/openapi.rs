//! The OpenAPI document of the JSON API: every route of the table with what its handler's types say.
//!
//! Facts: the OpenAPI Specification 3.1.1, whose schemas are JSON Schema 2020-12.

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::web::Json;
use schemars::Schema;
use serde_json::{Map, Value, json};

use super::Answer;
use super::describe::{Content, Description, Schemas};
use super::table::{self, Entry};
use crate::admin::error::Failure;
use crate::admin::roles::Role;

/// Returns the document as it is served.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(make);
    &DOCUMENT
}

pub(super) async fn show() -> Answer<Value> {
    Ok(Json(document().clone()))
}

fn make() -> Value {
    let mut schemas = Schemas::default();
    let failure = schemas.given.subschema_for::<Failure>();
    let mut paths = Map::new();
    for entry in table::entries() {
        let description = (entry.describe)(&mut schemas);
        let operation = operation(&entry, description, &failure);
        let path = paths.entry(entry.path).or_insert_with(|| json!({}));
        path[entry.method.as_str().to_ascii_lowercase()] = operation;
    }
    // What is both read and written is described as it is written.
    let mut definitions = schemas.taken.take_definitions(true);
    definitions.extend(schemas.given.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "airlock",
            "description": "What an operator asks of airlock. Everything that the web pages and the command line do is here.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": "/admin/api/v1" }],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "airlock-session",
                    "description": "Over TLS it is called __Secure-airlock-session.",
                },
                "csrf": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-CSRF-Token",
                    "description": "What a session shows with every request that changes something.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token that airlock made; it begins with airlock_.",
                },
            },
        },
    })
}

fn operation(entry: &Entry, description: Description, failure: &Schema) -> Value {
    let mut responses = Map::new();
    for (status, content) in &description.answers {
        let told = match content.schema.get("description").and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => "It is done.".to_owned(),
        };
        let answer = json!({ "description": told, "content": of(content) });
        responses.insert(status.to_string(), answer);
    }
    let failed = json!({
        "description": "It was not done; `kind` says why.",
        "content": { "application/json": { "schema": failure } },
    });
    responses.insert("default".to_owned(), failed);
    let mut operation = json!({
        "operationId": id(&entry.method, entry.path),
        "summary": entry.summary,
        "tags": [entry.path.split('/').nth(1).unwrap_or_default()],
        "x-role": entry.needs.map_or("nobody", Role::name),
        "parameters": parameters(entry.path, &description),
        "responses": responses,
        "security": if entry.needs.is_none() {
            json!([])
        } else if entry.method == Method::GET {
            json!([{ "session": [] }, { "token": [] }])
        } else {
            json!([{ "session": [], "csrf": [] }, { "token": [] }])
        },
    });
    if let Some(body) = &description.body {
        operation["requestBody"] = json!({ "required": true, "content": of(body) });
    }
    operation
}

fn of(content: &Content) -> Value {
    if content.media_type.is_empty() {
        return json!({});
    }
    json!({ content.media_type: { "schema": content.schema } })
}

/// Returns what an operation is called in programs: `get_plans_id` for `GET /plans/{id}`.
fn id(method: &Method, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    let mut id = method.as_str().to_ascii_lowercase();
    for word in words {
        id.push('_');
        id.push_str(word);
    }
    id
}

fn parameters(path: &str, description: &Description) -> Vec<Value> {
    let names = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<_> = names
        .zip(&description.path)
        .map(|(name, schema)| {
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    let Some(query) = &description.query else {
        return parameters;
    };
    let required = query.get("required").and_then(Value::as_array);
    let properties = query.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let is_required = required.is_some_and(|names| names.iter().any(|it| it == name));
        let mut schema = schema.clone();
        let told = schema
            .as_object_mut()
            .and_then(|schema| schema.remove("description"));
        let mut parameter =
            json!({ "name": name, "in": "query", "required": is_required, "schema": schema });
        if let Some(told) = told {
            parameter["description"] = told;
        }
        parameters.push(parameter);
    }
    parameters
}
