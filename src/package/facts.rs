//! What queries look at of one package version; nothing that is only shown.
//!
//! Made from the manifest at import and kept in the store as compact JSON.

use serde::{Deserialize, Serialize};

use super::{Constraint, PackageId};

/// The facts of one package version that decide whether a query finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Which package version this is.
    #[serde(with = "id_as_pair")]
    pub id: PackageId,
    /// `integration`, `input`, `content`, …
    pub package_type: String,
    /// Whether the manifest says `release: experimental`.
    pub is_experimental: bool,
    /// The Kibana versions it works with; all without.
    pub kibana: Option<Constraint>,
    /// The Elastic Agent versions it works with; all without.
    pub agent: Option<Constraint>,
    /// Major and minor number of `format_version`.
    pub spec: Option<(u64, u64)>,
    /// The capabilities it needs; `None` when there is no such condition.
    pub capabilities: Option<Vec<String>>,
    /// Its known categories, in the manifest's order.
    pub categories: Vec<String>,
    /// For each policy template its categories, `None` when it lists none.
    pub policy_templates: Vec<Option<Vec<String>>>,
    /// The fields that data must have for it to be discovered.
    pub discovery_fields: Vec<String>,
    /// The datasets by which it is discovered.
    pub discovery_datasets: Vec<String>,
    /// Whether the manifest calls it deprecated.
    pub is_deprecated: bool,
}

/// `["nginx", "1.5.0"]`; reading validates as [`PackageId::parse`] does.
mod id_as_pair {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::package::PackageId;

    pub fn serialize<S: Serializer>(id: &PackageId, serializer: S) -> Result<S::Ok, S::Error> {
        (id.name.as_str(), id.version.to_string()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PackageId, D::Error> {
        let (name, version) = <(String, String)>::deserialize(deserializer)?;
        PackageId::parse(&name, &version).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn facts_come_back_from_json_as_they_went_in() {
        let facts = Facts {
            id: PackageId::parse("nginx", "1.5.0-rc.1+b").unwrap(),
            package_type: "integration".to_owned(),
            is_experimental: false,
            kibana: Some(Constraint::parse("^7.17.0 || ^8.0.0", &Limits::default()).unwrap()),
            agent: None,
            spec: Some((2, 10)),
            capabilities: Some(Vec::new()),
            categories: vec!["web".to_owned()],
            policy_templates: vec![None, Some(vec!["web".to_owned()])],
            discovery_fields: Vec::new(),
            discovery_datasets: vec!["nginx.access".to_owned()],
            is_deprecated: true,
        };
        let json = serde_json::to_string(&facts).unwrap();
        assert!(
            json.starts_with(r#"{"id":["nginx","1.5.0-rc.1+b"],"package_type":"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), facts);
        for bad in [r#"["../x","1.0.0"]"#, r#"["nginx","1.0"]"#] {
            let json = json.replace(r#"["nginx","1.5.0-rc.1+b"]"#, bad);
            assert!(serde_json::from_str::<Facts>(&json).is_err(), "{bad}");
        }
    }
}
