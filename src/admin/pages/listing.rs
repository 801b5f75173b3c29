//! What `/search` answers, as pages need it: the few fields that are shown of each package.

use std::sync::Arc;

use serde::Deserialize;

use crate::admin::error::OperationError;
use crate::admin::pages::lens::Lens;
use crate::admin::routes::Operator;
use crate::catalog::Catalog;
use crate::limits::Limits;
use crate::package::SearchQuery;
use crate::store::StoreError;

/// A package as `/search` answers with it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Listed {
    pub(super) name: String,
    #[serde(default)]
    pub(super) title: Option<String>,
    pub(super) version: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default, rename = "type")]
    pub(super) package_type: Option<String>,
    #[serde(default)]
    pub(super) categories: Vec<String>,
    #[serde(default)]
    icons: Vec<Icon>,
}

#[derive(Debug, Clone, Deserialize)]
struct Icon {
    src: String,
}

impl Listed {
    pub(super) fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// Tells whether it has a drawing of its own.
    pub(super) fn has_icon(&self) -> bool {
        self.icon_path().is_some()
    }

    /// Returns the path of its drawing inside the package.
    pub(super) fn icon_path(&self) -> Option<&str> {
        let src = self.icons.first()?.src.trim_start_matches('/');
        (!src.is_empty()).then_some(src)
    }
}

/// Returns the catalog that the lens looks at.
pub(super) fn catalog(operator: &Operator, lens: &Lens) -> Result<Arc<Catalog>, OperationError> {
    let found = match lens.at {
        Some(at) => operator
            .catalogs
            .past(&operator.store, &lens.distribution, at)?,
        None => operator.catalogs.get(&lens.distribution),
    };
    let is_default = lens.distribution.as_str() == "default";
    match found {
        Some(catalog) => Ok(catalog),
        None if is_default && lens.at.is_none() => Ok(operator.catalogs.default_catalog()),
        None => Err(OperationError::NotYetThere {
            distribution: lens.distribution.to_string(),
            at: match lens.at {
                Some(at) => format!("change set {}", at.0),
                None => "present".to_owned(),
            },
        }),
    }
}

/// Returns what the catalog answers to a query string, by name.
pub(super) fn listed(
    catalog: &Catalog,
    query: &str,
    limits: &Limits,
) -> Result<Vec<Listed>, OperationError> {
    let query = SearchQuery::parse(query, limits)
        .map_err(|error| OperationError::InvalidRequest(error.to_string()))?;
    let damaged = || StoreError::Invalid {
        what: "search element",
        value: catalog.name.to_string(),
    };
    let json = catalog.search(&query).map_err(|_| damaged())?;
    Ok(serde_json::from_slice(&json).map_err(|_| damaged())?)
}
