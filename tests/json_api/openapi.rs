//! The document: its form, and that what is answered is what it says.

use std::collections::BTreeSet;

use airlock::admin::routes::{document, served};
use serde_json::{Value, json};

use crate::asking::{ADMIN, ask, operator};
use crate::support::{TestRegistry, package};

/// Returns each operation with its method and its path.
fn operations() -> Vec<(String, String, Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().clone();
        let path = path.clone();
        methods
            .into_iter()
            .map(move |(method, operation)| (method, path.clone(), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

/// Calls `look` with every object of the document.
fn each_object(value: &Value, look: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            look(object);
            object.values().for_each(|value| each_object(value, look));
        }
        Value::Array(values) => values.iter().for_each(|value| each_object(value, look)),
        _ => {}
    }
}

#[test]
fn every_route_is_described_once_with_its_role() {
    let operations = operations();
    assert_eq!(operations.len(), served().len());
    for route in served() {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = &document()["paths"][route.path][&method];
        assert_eq!(
            operation["x-role"],
            route.needs.map_or("nobody", |role| role.name()),
            "{method} {}",
            route.path
        );
        assert!(operation["summary"].as_str().unwrap().len() > 8);
    }
    let ids: BTreeSet<_> = operations
        .iter()
        .map(|it| it.2["operationId"].to_string())
        .collect();
    assert_eq!(ids.len(), operations.len(), "{ids:?}");
}

#[test]
fn every_place_of_a_path_is_described_and_every_reference_resolves() {
    for (method, path, operation) in operations() {
        let places: BTreeSet<_> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path = parameters.iter().filter(|it| it["in"] == "path");
        let described: BTreeSet<_> = in_path.map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(described, places, "{method} {path}");
        let has_answer = operation["responses"].as_object().unwrap().len() > 1;
        assert!(has_answer, "{method} {path}");
    }
    let mut references = 0;
    each_object(document(), &mut |object| {
        if let Some(Value::String(reference)) = object.get("$ref") {
            references += 1;
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document().pointer(pointer).is_some(), "{reference}");
        }
    });
    assert!(references > 50, "{references}");
}

#[test]
fn the_schemas_are_schemas() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    assert!(schemas.len() > 50, "{}", schemas.len());
    for (name, schema) in schemas {
        assert!(
            name.chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)),
            "{name}"
        );
        jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// Returns a path with something that is there in each of its places.
fn filled(path: &str) -> String {
    let part = |part: &str| match part {
        "{name}" | "{branch}" => "9.2.0".to_owned(),
        "{number}" | "{id}" => "1".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[actix_web::test]
async fn what_each_question_is_answered_is_what_the_document_says() {
    let registry =
        TestRegistry::holding([package("nginx", "1.0.0"), package("system", "2.0.0")]).await;
    let operator = operator(&registry.store);
    let mut answered = Vec::new();
    for (method, path, operation) in operations() {
        if method != "get" || path.ends_with("/events") {
            continue;
        }
        let query = match path.as_str() {
            "/history" => "?limit=10&packages=true",
            "/sources/known" => "?bytes=5",
            "/explain" => "?package=nginx",
            "/diff" => "?before=9.2.0&after=9.2.0",
            _ => "",
        };
        let path_asked = format!("{}{query}", filled(&path));
        let answer = ask(&operator, ADMIN, "GET", &path_asked, b"").await;
        let status = match answer.status {
            200 => "200",
            _ => "default",
        };
        let schema = &operation["responses"][status]["content"]["application/json"]["schema"];
        let schema = json!({ "allOf": [schema], "components": document()["components"] });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&answer.json())
            .map(|it| format!("{} {it}", it.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{path}: {errors:?} {}", answer.body);
        answered.push(format!("{} {path}", answer.status));
    }
    insta::assert_snapshot!(answered.join("\n"), @r"
    200 /audit
    200 /audit/verification
    200 /diff
    200 /distributions
    200 /distributions/{name}
    400 /distributions/{name}/record
    200 /explain
    200 /history
    200 /history/{number}
    200 /holds
    200 /jobs
    404 /jobs/{id}
    200 /keys
    200 /openapi.json
    400 /packages/{name}/{version}
    200 /plans
    404 /plans/{id}
    200 /quarantine
    200 /records/{number}
    200 /session
    200 /signatures
    200 /signatures/{branch}
    200 /signer
    200 /sizes
    200 /sources/known
    200 /status
    409 /tls
    200 /tokens
    404 /uploads/{id}
    200 /users
    ");
}
