//! What manifests the reference takes, and what it reads.

use super::*;

fn package(text: &str) -> Result<Manifest, String> {
    read(text.as_bytes(), &mut Limits::default()).map_err(chain)
}

fn data_stream(text: &str) -> Result<DataStreamManifest, String> {
    read(text.as_bytes(), &mut Limits::default()).map_err(chain)
}

fn chain(error: ManifestError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[test]
fn nothing_is_required_of_a_package_but_what_its_parts_require() {
    assert_eq!(package(""), Ok(Manifest::default()));
    assert_eq!(package("unknown: {a: b}"), Ok(Manifest::default()));
    for bad in [
        "icons: [{title: t}]",
        "icons: [{src: ''}]",
        "icons: [~]",
        "icons: [{src: ~}]",
        "screenshots: [{}]",
        "policy_templates: [{title: T, description: D}]",
        "policy_templates: [{name: n, description: D}]",
        "policy_templates: [{name: n, title: T}]",
        "policy_templates: [{name: n, title: T, description: ''}]",
        "discovery: {fields: [{}]}",
        "discovery: {datasets: [{name: ''}]}",
        "requires: {input: [{package: p}]}",
        "requires: {content: [{version: v}]}",
        "data_streams: [{type: logs}]",
    ] {
        let error = package(bad).expect_err(bad);
        assert!(
            error.contains("missing field") || error.contains("empty, but required"),
            "{bad}: {error}"
        );
    }
}

#[test]
fn a_data_stream_needs_a_type_and_a_title() {
    assert!(data_stream("{type: weird, title: T}").is_ok());
    for bad in [
        "",
        "type: logs",
        "title: T",
        "{type: '', title: T}",
        "{type: logs, title: ~}",
    ] {
        assert!(data_stream(bad).is_err(), "{bad}");
    }
}

#[test]
fn absent_and_empty_are_told_apart_where_queries_or_documents_do() {
    let templates = |text: &str| package(text).unwrap().policy_templates;
    let with = |more: &str| {
        let text = format!("policy_templates: [{{name: n, title: T, description: D{more}}}]");
        templates(&text).remove(0)
    };
    assert_eq!(with("").categories, None);
    assert_eq!(with(", categories: ~").categories, None);
    assert_eq!(with(", categories: []").categories, Some(Vec::new()));
    assert_eq!(
        with(", categories: web").categories,
        Some(vec!["web".to_owned()])
    );
    assert_eq!(with(", multiple: false").multiple, Some(false));
    assert_eq!(package("title: ''").unwrap().title.as_deref(), Some(""));
    assert_eq!(package("title: ~").unwrap().title, None);
    assert_eq!(
        package("source: {}").unwrap().source,
        Some(Source::default())
    );
    assert_eq!(package("source: ~").unwrap().source, None);
    let elastic = |text: &str| package(text).unwrap().conditions.unwrap().elastic;
    assert_eq!(elastic("conditions: {elastic: ~}"), None);
    assert_eq!(
        elastic("conditions.elastic.capabilities: []")
            .unwrap()
            .capabilities,
        Some(Vec::new())
    );
}

#[test]
fn a_default_is_any_value_but_nothing() {
    let default = |text: &str| {
        let manifest = package(&format!("vars: [{{default: {text}}}]")).unwrap();
        manifest.vars[0]
            .default
            .as_ref()
            .map(crate::package::json::compact)
    };
    for (text, expected) in [
        ("~", None),
        ("{}", None),
        ("", None),
        ("[]", Some("[]")),
        ("''", Some("\"\"")),
        ("0", Some("0")),
        ("no", Some("false")),
        ("1.0", Some("1")),
        ("{b: {}, a.c: [~]}", Some(r#"{"a":{"c":[null]},"b":null}"#)),
    ] {
        assert_eq!(default(text).as_deref(), expected, "{text}");
    }
    let error = package("vars: [{name: a}, {default: [.inf]}]").unwrap_err();
    let expected = "manifest has a bad setting: setting \"vars.1.default.0\": a number is no number that JSON can hold";
    assert_eq!(error, expected);
}

#[test]
fn settings_of_an_index_template_keep_their_shape() {
    let text = "{type: logs, title: T, elasticsearch: {index_template.settings: {index.limit: 5, a: {}, b: ~}, \
                index_template: {mappings: {dynamic: no, d: {e: {}}}}, ingest_pipeline.name: p}}";
    let elasticsearch = data_stream(text).unwrap().elasticsearch.unwrap();
    let expected = r#"{"index_template.settings":{"index":{"limit":5}},"index_template.mappings":{"d":{"e":null},"dynamic":false},"ingest_pipeline.name":"p"}"#;
    assert_eq!(crate::package::json::compact(&elasticsearch), expected);
    let without = "{type: logs, title: T, elasticsearch: {index_template: 5, ingest_pipeline: p}}";
    let elasticsearch = data_stream(without).unwrap().elasticsearch.unwrap();
    assert_eq!(crate::package::json::compact(&elasticsearch), "{}");
    assert!(
        data_stream("{type: logs, title: T, elasticsearch.index_template.settings: a}").is_err()
    );
}

#[test]
fn what_the_registry_makes_itself_is_not_read() {
    let manifest = package("icons: [{src: a, path: b}]").unwrap();
    assert_eq!(manifest.icons[0].path, "");
    let text = "policy_templates: [{name: n, title: T, description: D, readme: r}]";
    assert_eq!(package(text).unwrap().policy_templates[0].readme, None);
}

#[test]
fn a_manifest_that_cannot_be_read_says_why() {
    for (text, message) in [
        ("a: [", "manifest is not readable as YAML: not YAML: "),
        ("1: a", "manifest is not readable as YAML: line 1: YAML key"),
        (
            "text",
            "manifest is not readable as settings: settings are one value",
        ),
        (
            "{a: 1, a.b: 2}",
            "manifest is not readable as settings: setting \"a.b\" lies below",
        ),
        (
            "title: [a]",
            "manifest has a bad setting: setting \"title\": a section is no text",
        ),
        (
            "vars: [{multi: 1}]",
            "manifest has a bad setting: setting \"vars.0.multi\": a number is no boolean",
        ),
        (
            "vars: a",
            "manifest has a bad setting: setting \"vars.0\": text is no section",
        ),
    ] {
        let error = package(text).expect_err(text);
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn manifests_of_one_package_share_the_bound_on_nodes() {
    let mut limits = Limits {
        yaml_nodes: 10,
        ..Limits::default()
    };
    assert!(read::<Manifest>(b"categories: [a, b]", &mut limits).is_ok());
    assert_eq!(limits.yaml_nodes, 5);
    assert!(read::<Manifest>(b"categories: [a, b, c]", &mut limits).is_err());
}
