//! What a route takes and answers, told by the types of what answers it: a description that nobody keeps cannot drift.
//!
//! Knows types, not routes: what is done with it is `openapi`'s.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path, Payload, Query};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::refusal::Refusal;

/// What routes take and answer refers to these.
pub(super) struct Schemas {
    /// Of what is read.
    pub taken: SchemaGenerator,
    /// Of what is written.
    pub given: SchemaGenerator,
}

/// A route's description.
#[derive(Default)]
pub(super) struct Description {
    /// What stands in the places of the path, in their order.
    pub path: Vec<Schema>,
    /// The query, an object of all parameters.
    pub query: Option<Schema>,
    /// The body.
    pub body: Option<Content>,
    /// The answers where nothing failed, by their status.
    pub answers: BTreeMap<u16, Content>,
}

/// What a body is.
pub(super) struct Content {
    /// Its content type; empty where there is no body.
    pub media_type: &'static str,
    /// Its schema.
    pub schema: Schema,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            taken: settings().for_deserialize().into_generator(),
            given: settings().for_serialize().into_generator(),
        }
    }
}

impl Content {
    /// Returns JSON of this schema.
    pub(super) fn json(schema: Schema) -> Self {
        Self {
            media_type: "application/json",
            schema,
        }
    }

    /// Returns no body.
    pub(super) fn none() -> Self {
        Self::other("")
    }

    /// Returns bytes or text of another type.
    pub(super) fn other(media_type: &'static str) -> Self {
        Self {
            media_type,
            schema: Schema::default(),
        }
    }
}

/// Returns the description of what takes `A` and answers `O`.
pub(super) fn describe<A: Taken, O: Given>(schemas: &mut Schemas) -> Description {
    let mut description = Description::default();
    A::tell(&mut description, schemas);
    O::tell(&mut description, schemas);
    description
}

/// What a handler takes of a request.
pub(super) trait Taken {
    /// Adds it to a route's description.
    fn tell(description: &mut Description, schemas: &mut Schemas);
}

/// What a handler answers.
pub(super) trait Given {
    /// Adds it to a route's description.
    fn tell(description: &mut Description, schemas: &mut Schemas);
}

impl<T> Taken for Data<T> {
    fn tell(_: &mut Description, _: &mut Schemas) {}
}

impl Taken for HttpRequest {
    fn tell(_: &mut Description, _: &mut Schemas) {}
}

impl<T: JsonSchema> Taken for Path<T> {
    fn tell(description: &mut Description, schemas: &mut Schemas) {
        let schema = T::json_schema(&mut schemas.taken);
        let several = schema.get("prefixItems").and_then(Value::as_array);
        description.path = match several {
            // Of a tuple.
            Some(places) => places.iter().cloned().filter_map(as_schema).collect(),
            None => vec![schema],
        };
    }
}

impl<T: JsonSchema> Taken for Query<T> {
    fn tell(description: &mut Description, schemas: &mut Schemas) {
        description.query = Some(T::json_schema(&mut schemas.taken));
    }
}

impl<T: JsonSchema> Taken for Json<T> {
    fn tell(description: &mut Description, schemas: &mut Schemas) {
        description.body = Some(Content::json(schemas.taken.subschema_for::<T>()));
    }
}

impl Taken for Payload {
    fn tell(description: &mut Description, _: &mut Schemas) {
        description.body = Some(Content::other("application/octet-stream"));
    }
}

impl<T: JsonSchema> Given for Json<T> {
    fn tell(description: &mut Description, schemas: &mut Schemas) {
        let schema = schemas.given.subschema_for::<T>();
        description.answers.insert(200, Content::json(schema));
    }
}

impl<T: Given> Given for Result<T, Refusal> {
    fn tell(description: &mut Description, schemas: &mut Schemas) {
        T::tell(description, schemas);
    }
}

macro_rules! taken_together {
    ($($taken:ident)*) => {
        impl<$($taken: Taken),*> Taken for ($($taken,)*) {
            fn tell(_description: &mut Description, _schemas: &mut Schemas) {
                $($taken::tell(_description, _schemas);)*
            }
        }
    };
}

taken_together!();
taken_together!(A);
taken_together!(A B);
taken_together!(A B C);
taken_together!(A B C D);
taken_together!(A B C D E);
taken_together!(A B C D E F);

fn as_schema(value: Value) -> Option<Schema> {
    Schema::try_from(value).ok()
}
