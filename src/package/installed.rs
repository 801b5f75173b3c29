//! Which packages a Kibana has installed, as it says itself.
//!
//! Facts: `GET /api/fleet/epm/packages/installed`, in whose place that of `/api/fleet/epm/packages` is as good. Liberal: the
//! form has changed from version to version, and several pages may stand one after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PackageId, PackageName};

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Whether Kibana upgrades its policies with it.
    #[serde(default)]
    pub keeps_policies_up_to_date: bool,
}

/// What a Kibana says of its packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstalledList {
    /// By name, each once.
    pub packages: Vec<Installed>,
    /// How many there are by Kibana's own count, which may be more: it answers page by page.
    pub total: Option<u64>,
}

/// Text that says nothing of installed packages.
#[derive(Debug, thiserror::Error)]
pub enum InvalidInstalled {
    /// Not JSON.
    #[error("not JSON")]
    Json(#[from] serde_json::Error),
    /// JSON that names no package.
    #[error("it names no installed package")]
    Nothing,
    /// A line that names no version of a package.
    #[error("{0:?} names no version of a package, as in nginx 1.20.0")]
    Line(String),
}

impl InstalledList {
    /// Reads what Kibana answered, once or page after page. What is no installed package is passed over.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidInstalled> {
        let mut packages = BTreeMap::new();
        let mut total = None;
        for page in serde_json::Deserializer::from_slice(json).into_iter::<Value>() {
            let page = page?;
            total = total.max(page.get("total").and_then(Value::as_u64));
            for element in elements(&page) {
                if let Some((id, installed)) = installed(element) {
                    packages.entry(id.name).or_insert(installed);
                }
            }
        }
        if packages.is_empty() {
            return Err(InvalidInstalled::Nothing);
        }
        Ok(Self {
            packages: packages.into_values().collect(),
            total,
        })
    }
}

impl InstalledList {
    /// Reads what somebody copied: what Kibana answered, or lines of a package and its version (`nginx 1.20.0`,
    /// `nginx-1.20.0`, `nginx@1.20.0`).
    pub fn parse_pasted(text: &str) -> Result<Self, InvalidInstalled> {
        if text.trim_start().starts_with(['{', '[']) {
            return Self::parse(text.as_bytes());
        }
        let lines = text.lines().map(str::trim);
        let mut packages = BTreeMap::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let id = named(line);
            let id = id.ok_or_else(|| InvalidInstalled::Line(line.chars().take(100).collect()))?;
            let installed = Installed::of(&id.name, &id.version);
            packages.entry(id.name).or_insert(installed);
        }
        if packages.is_empty() {
            return Err(InvalidInstalled::Nothing);
        }
        Ok(Self {
            packages: packages.into_values().collect(),
            total: None,
        })
    }
}

/// Returns the package version that a line names. No name of a package has one of these characters.
fn named(line: &str) -> Option<PackageId> {
    let (name, version) = line.split_once(|c: char| c.is_whitespace() || matches!(c, '@' | '-'))?;
    PackageId::parse(name, version.trim()).ok()
}

fn elements(page: &Value) -> &[Value] {
    let keys = ["items", "response", "packages", "list"];
    let list = |value: &Value| value.is_array();
    let inner = || keys.iter().find_map(|key| page.get(key));
    match inner() {
        _ if list(page) => page.as_array(),
        Some(value) if list(value) => value.as_array(),
        Some(value) => value.get("items").and_then(Value::as_array),
        None => None,
    }
    .map_or(&[], Vec::as_slice)
}

fn installed(element: &Value) -> Option<(PackageId, Installed)> {
    let text = |path: &str| element.pointer(path).and_then(Value::as_str);
    let first = |paths: &[&'static str]| paths.iter().find_map(|path| text(path));
    let status = first(&["/status", "/installationInfo/install_status"]);
    if status == Some("not_installed") {
        return None;
    }
    let name = first(&["/name", "/id", "/package"])?;
    // The list of all packages says the newest version at its top, and the installed one further in.
    let version = first(&[
        "/installationInfo/version",
        "/savedObject/attributes/version",
        "/installedVersion",
        "/version",
    ])?;
    let keeps = [
        "/keepPoliciesUpToDate",
        "/keep_policies_up_to_date",
        "/installationInfo/keep_policies_up_to_date",
        "/savedObject/attributes/keep_policies_up_to_date",
    ];
    let keeps = keeps
        .iter()
        .find_map(|path| element.pointer(path)?.as_bool());
    let id = PackageId::parse(name, version).ok()?;
    let installed = Installed {
        package: id.name.to_string(),
        version: id.version.to_string(),
        keeps_policies_up_to_date: keeps.unwrap_or_default(),
    };
    Some((id, installed))
}

impl Installed {
    /// Returns the package version; fails where it is none.
    pub fn id(&self) -> Result<PackageId, super::InvalidPackageId> {
        PackageId::parse(&self.package, &self.version)
    }

    /// Returns a package of which nothing else is known.
    pub fn of(name: &PackageName, version: &super::PackageVersion) -> Self {
        Self {
            package: name.to_string(),
            version: version.to_string(),
            keeps_policies_up_to_date: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the installed packages as `name version`, `*` behind those whose policies are kept up to date.
    fn read(json: &str) -> Vec<String> {
        let list = InstalledList::parse(json.as_bytes()).unwrap();
        let shown = |it: &Installed| {
            let star = if it.keeps_policies_up_to_date {
                "*"
            } else {
                ""
            };
            format!("{} {}{star}", it.package, it.version)
        };
        list.packages.iter().map(shown).collect()
    }

    #[test]
    fn lines_are_as_good_as_what_kibana_answers() {
        let pasted = |text: &str| {
            let list = InstalledList::parse_pasted(text).map_err(|error| error.to_string())?;
            let shown = |it: &Installed| format!("{} {}", it.package, it.version);
            Ok::<_, String>(list.packages.iter().map(shown).collect::<Vec<_>>())
        };
        let lines = " nginx 1.20.0\r\n\nsystem-1.6.4\naws@1.23.4-beta.1\n";
        let expected = ["aws 1.23.4-beta.1", "nginx 1.20.0", "system 1.6.4"];
        assert_eq!(pasted(lines).unwrap(), expected);
        let json = r#" {"items":[{"name":"nginx","version":"1.20.0"}]}"#;
        assert_eq!(pasted(json).unwrap(), ["nginx 1.20.0"]);
        for wrong in ["nginx", "nginx <script>", "../x 1.0.0"] {
            assert!(
                pasted(wrong).unwrap_err().contains("names no version"),
                "{wrong}"
            );
        }
        assert!(pasted(" \n").is_err());
    }

    #[test]
    fn each_form_that_kibana_has_answered_in_is_read() {
        for json in [
            r#"{"items": [{"name": "nginx", "version": "1.5.0", "status": "installed", "dataStreams": []}], "total": 1}"#,
            r#"{"response": [{"name": "nginx", "version": "1.5.0"}]}"#,
            r#"{"response": {"items": [{"id": "nginx", "version": "1.5.0"}]}}"#,
            r#"[{"name": "nginx", "version": "2.0.0", "installationInfo": {"version": "1.5.0", "install_status": "installed"}}]"#,
            r#"{"items": [{"name": "nginx", "version": "2.0.0", "status": "installed", "savedObject": {"attributes": {"version": "1.5.0"}}},
                          {"name": "zeek", "version": "2.0.0", "status": "not_installed"}]}"#,
        ] {
            assert_eq!(read(json), ["nginx 1.5.0"], "{json}");
        }
        let kept = r#"[{"name": "b", "version": "1.0.0", "savedObject": {"attributes": {"keep_policies_up_to_date": true}}}]"#;
        let more = r#"{"items": [{"name": "a", "version": "1.0.0"}, {"name": "b", "version": "9.0.0"}], "total": 7}"#;
        assert_eq!(read(&format!("{kept}\n{more}")), ["a 1.0.0", "b 1.0.0*"]);
        let list = InstalledList::parse(more.as_bytes()).unwrap();
        assert_eq!(list.total, Some(7));
    }

    #[test]
    fn what_names_no_package_is_an_error() {
        for json in [
            "",
            "{}",
            "[]",
            "[1, null, {}, {\"name\": 1}]",
            "{\"items\": {}}",
            r#"[{"name": "nginx"}]"#,
            r#"[{"name": "../x", "version": "1.0.0"}]"#,
            r#"[{"name": "nginx", "version": "1.0"}]"#,
            "nginx 1.5.0",
            &"[".repeat(100_000),
        ] {
            assert!(InstalledList::parse(json.as_bytes()).is_err());
        }
    }
}
