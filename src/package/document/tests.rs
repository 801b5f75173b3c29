//! Whole packages in, documents out.

use super::*;

const MANIFEST: &str =
    "name: foo\nversion: 1.2.3\ntitle: Foo\ndescription: d\nformat_version: 1.0.0\n";
const DATA_STREAM: &str = "type: logs\ntitle: T\n";
const PIPELINES: &str = "data_stream/x/elasticsearch/ingest_pipeline";

/// A package in the making: text of manifests, paths of all else.
struct Package {
    manifest: String,
    data_streams: Vec<(String, String)>,
    paths: Vec<String>,
}

fn package(more: &str) -> Package {
    Package {
        manifest: format!("{MANIFEST}{more}"),
        data_streams: Vec::new(),
        paths: vec!["manifest.yml".to_owned(), "docs/README.md".to_owned()],
    }
}

impl Package {
    fn replacing(mut self, from: &str, to: &str) -> Self {
        assert!(self.manifest.contains(from));
        self.manifest = self.manifest.replace(from, to);
        self
    }

    fn data_stream(mut self, folder: &str, more: &str) -> Self {
        self.paths
            .push(format!("data_stream/{folder}/manifest.yml"));
        self.data_streams
            .push((folder.to_owned(), format!("{DATA_STREAM}{more}")));
        self
    }

    fn file(mut self, path: &str) -> Self {
        self.paths.push(path.to_owned());
        self
    }

    fn rendered(&self) -> Result<Rendered, DocumentError> {
        let files = FileList::of_tree(self.paths.iter().map(String::as_str))?;
        let mut data_streams: Vec<_> = self
            .data_streams
            .iter()
            .map(|(f, text)| (f.clone(), text.as_bytes()))
            .collect();
        data_streams.sort();
        let source = PackageSource {
            files: &files,
            manifest: self.manifest.as_bytes(),
            data_streams: &data_streams,
        };
        let (categories, ingestion_methods) =
            (Categories::built_in(), IngestionMethods::built_in());
        let tables = Tables {
            categories: &categories,
            ingestion_methods: &ingestion_methods,
        };
        render(
            &source,
            tables,
            &KnownDataStreams::default(),
            &Limits::default(),
        )
    }

    #[track_caller]
    fn document(&self) -> serde_json::Value {
        serde_json::from_str(&self.rendered().unwrap().document.text).unwrap()
    }

    #[track_caller]
    fn element(&self) -> serde_json::Value {
        serde_json::from_str(&self.rendered().unwrap().element.text).unwrap()
    }

    #[track_caller]
    fn refusal(&self) -> String {
        self.rendered().expect_err(&self.manifest).to_string()
    }
}

#[test]
fn a_small_package_is_rendered_whole() {
    let rendered = package("").rendered().unwrap();
    let head = "\"name\": \"foo\",\n\"title\": \"Foo\",\n\"version\": \"1.2.3\",\n\"release\": \"ga\",\n\"description\": \"d\",\n\
                \"type\": \"integration\",\n\"download\": \"/epr/foo/foo-1.2.3.zip\",\n\"path\": \"/package/foo/1.2.3\"";
    let element = format!("  {{\n    {}\n  }}", head.replace('\n', "\n    "));
    assert_eq!(rendered.element.text, element);
    let document = format!(
        "{{\n  {},\n  \"format_version\": \"1.0.0\",\n  \"readme\": \"/package/foo/1.2.3/docs/README.md\",\n  \
         \"license\": \"basic\",\n  \"assets\": [\n    \"/package/foo/1.2.3/manifest.yml\",\n    \
         \"/package/foo/1.2.3/docs/README.md\"\n  ]\n}}\n",
        head.replace('\n', "\n  ")
    );
    assert_eq!(rendered.document.text, document);
    assert_eq!(rendered.deprecated, None);
    assert!(rendered.warnings.is_empty());
}

#[test]
fn members_come_in_the_order_of_the_reference() {
    let package = package(
        "source: {license: a}\nicons: [{src: i}]\npolicy_templates_behavior: all\nconditions: {kibana.version: ^8.0.0}\n\
         owner: {github: a}\ncategories: [web]\ndiscovery: {fields: [{name: f}]}\nrequires: {}\ngroup: g\n\
         screenshots: [{src: s}]\npolicy_templates: [{name: a, title: b, description: c}]\nvars: [{name: v}]\n\
         elasticsearch: {}\nagent: {}\n",
    )
    .data_stream("x", "");
    let names = |text: &str, indent: &str| {
        let starts = format!("\n{indent}\"");
        let names: Vec<String> = text
            .split(&starts)
            .skip(1)
            .map(|m| m[..m.find('"').unwrap()].to_owned())
            .collect();
        names.join(" ")
    };
    let rendered = package.rendered().unwrap();
    let base = "name title version release source description type download path icons policy_templates_behavior";
    assert_eq!(
        names(&rendered.element.text, "    "),
        format!(
            "{base} policy_templates conditions owner categories discovery data_streams requires group"
        )
    );
    assert_eq!(
        names(&rendered.document.text, "  "),
        format!(
            "{base} conditions owner categories discovery requires group format_version readme license screenshots assets \
             policy_templates data_streams vars elasticsearch agent"
        )
    );
}

#[test]
fn a_package_gets_the_defaults_of_the_reference() {
    for (version, release) in [
        ("1.2.3", "ga"),
        ("1.2.3-rc1", "beta"),
        ("0.2.3", "beta"),
        ("1.0.0+b", "ga"),
    ] {
        let document = package("").replacing("1.2.3", version).document();
        assert_eq!(document["release"], release, "{version}");
    }
    for (more, license) in [
        ("", "basic"),
        ("conditions: {elastic: {subscription: gold}}\n", "gold"),
        ("conditions: {elastic: {}}\n", "basic"),
        (
            "license: platinum\nconditions: {elastic: {subscription: gold}}\n",
            "platinum",
        ),
    ] {
        assert_eq!(package(more).document()["license"], license, "{more}");
    }
    assert_eq!(package("type: ''\n").element()["type"], "integration");
    assert_eq!(package("type: input\n").element()["type"], "input");
    assert!(
        package("discovery: {}\n")
            .document()
            .get("discovery")
            .is_none()
    );
    assert_eq!(
        package("source: {}\n").element()["source"],
        serde_json::json!({})
    );
}

#[test]
fn images_get_their_path_and_paths_are_cleaned() {
    let package = package(
        "icons: [{src: /img/a.svg, type: t}, {src: a/../b.png}]\nscreenshots: [{src: ../../../../etc/x}]\n\
         policy_templates: [{name: p, title: T, description: D, icons: [{src: i}], screenshots: [{src: s}]}]\n",
    );
    let document = package.document();
    let icon = serde_json::json!({"src": "/img/a.svg", "path": "/package/foo/1.2.3/img/a.svg", "type": "t"});
    assert_eq!(document["icons"][0], icon);
    assert_eq!(document["icons"][1]["path"], "/package/foo/1.2.3/b.png");
    assert_eq!(document["screenshots"][0]["path"], "/etc/x");
    let template = &document["policy_templates"][0];
    assert_eq!(template["icons"][0]["path"], "/package/foo/1.2.3/i");
    assert_eq!(template["screenshots"][0]["path"], "/package/foo/1.2.3/s");
    assert_eq!(
        package.element()["policy_templates"][0]["icons"][0]["path"],
        "/package/foo/1.2.3/i"
    );
}

#[test]
fn policy_templates_are_completed() {
    let template = |more: &str, path: &str| {
        let text = format!("policy_templates: [{{name: p, title: T, description: D{more}}}]\n");
        package(&text).file(path).document()["policy_templates"][0].clone()
    };
    assert_eq!(template("", "x")["multiple"], true);
    assert_eq!(template(", multiple: no", "x")["multiple"], false);
    assert!(template("", "x").get("readme").is_none());
    assert_eq!(
        template("", "docs/p.md")["readme"],
        "/package/foo/1.2.3/docs/p.md"
    );
    let input = |package_type: &str, more: &str| {
        let text = format!(
            "{package_type}policy_templates: [{{name: p, title: T, description: D, ingestion_method: own{more}}}]\n"
        );
        package(&text).document()["policy_templates"][0]
            .get("ingestion_method")
            .cloned()
    };
    assert_eq!(
        input("type: input\n", ", input: httpjson"),
        Some("API".into())
    );
    assert_eq!(input("type: input\n", ", input: nope"), None);
    assert_eq!(input("type: input\n", ""), Some("own".into()));
    assert_eq!(
        input("type: integration\n", ", input: httpjson"),
        Some("own".into())
    );
    let release = |release: &str| {
        package(&format!(
            "policy_templates: [{{name: p, title: T, description: D, deployment_modes: {{agentless: {{release: {release}}}}}}}]\n"
        ))
    };
    assert!(release("beta").rendered().is_ok());
    assert!(release("''").rendered().is_ok());
    let message = "release \"experimental\" of policy template \"p\" is not known";
    assert_eq!(release("experimental").refusal(), message);
}

#[test]
fn data_streams_are_completed() {
    let package = package("release: beta\n")
        .data_stream("x", "streams: [{input: httpjson, ingestion_method: a}, {input: nope, enabled: no, template_path: t, ingestion_method: b}]\n")
        .data_stream("a", "dataset: own\nrelease: ga\npackage: other\npath: elsewhere\n");
    let document = package.document();
    let first = serde_json::json!({
        "type": "logs", "dataset": "own", "title": "T", "release": "ga", "package": "other", "path": "elsewhere"
    });
    assert_eq!(document["data_streams"][0], first);
    let second = serde_json::json!({
        "type": "logs", "dataset": "foo.x", "title": "T", "release": "beta", "package": "foo", "path": "x",
        "streams": [
            {"input": "httpjson", "template_path": "stream.yml.hbs", "enabled": true, "ingestion_method": "API"},
            {"input": "nope", "template_path": "t", "enabled": false, "ingestion_method": "b"}
        ]
    });
    assert_eq!(document["data_streams"][1], second);
    let summary = serde_json::json!([
        {"type": "logs", "dataset": "own", "title": "T"}, {"type": "logs", "dataset": "foo.x", "title": "T"}
    ]);
    assert_eq!(package.element()["data_streams"], summary);
}

#[test]
fn data_streams_in_the_package_s_manifest_come_first_and_twice_in_the_element() {
    let package =
        package("data_streams: [{type: metrics, title: M, dataset: m}]\n").data_stream("x", "");
    let datasets = |value: serde_json::Value| {
        let all = value["data_streams"].as_array().unwrap().clone();
        all.iter()
            .map(|d| d["dataset"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(datasets(package.document()), "m foo.x");
    assert_eq!(datasets(package.element()), "m m foo.x");
}

#[test]
fn pipelines_are_found_in_the_folder() {
    for (more, files, old, new) in [
        ("", &[][..], None, None),
        ("", &["default.yml"], Some("default"), None),
        ("", &["default.json", "other.yml"], Some("default"), None),
        ("", &["default.yml/x"], Some("default"), None),
        (
            "elasticsearch: {}\n",
            &["default.yml"],
            Some("default"),
            Some("default"),
        ),
        ("elasticsearch: {}\n", &[], None, None),
        (
            "elasticsearch: {ingest_pipeline.name: own}\n",
            &["default.yml"],
            Some("default"),
            Some("own"),
        ),
        (
            "elasticsearch: {ingest_pipeline.name: own}\n",
            &[],
            None,
            Some("own"),
        ),
        (
            "ingest_pipeline: own\n",
            &["default.yml"],
            Some("own"),
            None,
        ),
        ("ingest_pipeline: own\n", &["own.yml"], Some("own"), None),
        (
            "ingest_pipeline: own\nelasticsearch: {}\n",
            &["default.yml"],
            Some("default"),
            Some("default"),
        ),
        (
            "ingest_pipeline: own\nelasticsearch: {}\n",
            &["own.yml"],
            Some("own"),
            None,
        ),
    ] {
        let mut package = package("").data_stream("x", more);
        for file in files {
            package = package.file(&format!("{PIPELINES}/{file}"));
        }
        let data_stream = &package.document()["data_streams"][0];
        let shown =
            |value: Option<&serde_json::Value>| value.and_then(|v| v.as_str()).map(str::to_owned);
        assert_eq!(
            shown(data_stream.get("ingest_pipeline")).as_deref(),
            old,
            "{more} {files:?}"
        );
        let elasticsearch = data_stream.get("elasticsearch");
        assert_eq!(
            shown(elasticsearch.and_then(|e| e.get("ingest_pipeline.name"))).as_deref(),
            new,
            "{more} {files:?}"
        );
    }
    for more in [
        "",
        "elasticsearch: {}\n",
        "elasticsearch: {ingest_pipeline.name: other}\n",
    ] {
        let package = package("")
            .data_stream("x", more)
            .file(&format!("{PIPELINES}/other.yml"));
        assert_eq!(
            package.refusal(),
            "data stream \"x\" has ingest pipelines but uses none",
            "{more}"
        );
    }
}

#[test]
fn unknown_categories_are_left_out_with_a_warning() {
    let package = package(
        "categories: [web, nope]\npolicy_templates: [{name: p, title: T, description: D, categories: [nope]}]\n",
    );
    let rendered = package.rendered().unwrap();
    assert_eq!(rendered.facts.categories, ["web"]);
    assert_eq!(
        rendered.facts.policy_templates,
        [Some(vec!["nope".to_owned()])]
    );
    assert_eq!(
        rendered.warnings,
        ["category \"nope\" is not known, left out"]
    );
    assert_eq!(package.document()["categories"], serde_json::json!(["web"]));
    assert_eq!(
        package.element()["policy_templates"][0]["categories"],
        serde_json::json!(["nope"])
    );
}

#[test]
fn facts_are_what_queries_look_at() {
    let text = "type: input\nrelease: experimental\ncategories: [security, web]\ndeprecated: {since: 1.0.0}\n\
                conditions: {kibana.version: ^8.0.0, agent.version: '>9', elastic.capabilities: [a, b]}\n\
                discovery: {fields: [{name: f}], datasets: [{name: d}]}\npolicy_templates: [{name: p, title: T, description: D}]\n";
    let facts = package(text).rendered().unwrap().facts;
    assert_eq!(facts.id, PackageId::parse("foo", "1.2.3").unwrap());
    assert_eq!(facts.package_type, "input");
    assert!(facts.is_experimental && facts.is_deprecated);
    assert_eq!(facts.kibana.unwrap().as_str(), "^8.0.0");
    assert_eq!(facts.agent.unwrap().as_str(), ">9");
    assert_eq!(facts.spec, Some((1, 0)));
    assert_eq!(
        facts.capabilities,
        Some(vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(facts.categories, ["security", "web"]);
    assert_eq!(facts.policy_templates, [None]);
    assert_eq!(
        (facts.discovery_fields, facts.discovery_datasets),
        (vec!["f".to_owned()], vec!["d".to_owned()])
    );

    let facts = package("conditions: {kibana: ~}\n")
        .replacing("format_version: 1.0.0\n", "")
        .rendered()
        .unwrap()
        .facts;
    assert_eq!(facts.package_type, "integration");
    assert!(!facts.is_experimental && !facts.is_deprecated);
    assert_eq!(
        (facts.kibana, facts.agent, facts.spec, facts.capabilities),
        (None, None, None, None)
    );
}

#[test]
fn what_the_reference_could_not_load_is_refused() {
    let manifest = |more: &str| package(more).refusal();
    assert_eq!(
        manifest("release: foo\n"),
        "release \"foo\" of the package is not known"
    );
    assert_eq!(
        manifest("conditions: {kibana: {version: foo}}\n"),
        "condition on kibana is no version constraint"
    );
    assert_eq!(
        manifest("conditions: {agent: {version: '>>1'}}\n"),
        "condition on agent is no version constraint"
    );
    assert_eq!(
        manifest("data_streams: [{type: logs, title: T}]\n"),
        "manifest.yml has a data stream without a dataset"
    );
    assert_eq!(manifest("icons: [{}]\n"), "manifest.yml cannot be read");
    assert_eq!(
        package("").replacing("1.2.3", "1.2").refusal(),
        "manifest.yml names no package version"
    );
    assert_eq!(
        package("").replacing("foo", "../x").refusal(),
        "manifest.yml names no package version"
    );
    assert_eq!(
        package("").replacing("1.0.0", "1.0").refusal(),
        "format_version \"1\" is no version"
    );
    assert_eq!(
        package("").replacing("1.0.0", "v1.0.0").refusal(),
        "format_version \"v1.0.0\" is no version"
    );
    let mut without = package("");
    without.paths.pop();
    assert_eq!(without.refusal(), "docs/README.md is missing");
    assert_eq!(
        without.file("docs/README.md/x").refusal(),
        "docs/README.md is missing"
    );
    assert_eq!(
        package("").file("a-b/c").refusal(),
        "folder \"a-b\" has a `-` in its name"
    );
    let bad = package("").data_stream("x", "release: foo\n");
    assert_eq!(
        bad.refusal(),
        "release \"foo\" of data stream \"x\" is not known"
    );
    let bad = package("").data_stream("x", "hidden: 1\n");
    assert_eq!(
        bad.refusal(),
        "manifest.yml of data stream \"x\" cannot be read"
    );
}

#[test]
fn non_ascii_text_is_escaped_throughout() {
    let rendered = package("group: ä🚪\n").rendered().unwrap();
    for text in [rendered.element.text, rendered.document.text] {
        assert!(
            text.is_ascii() && text.contains(r#""group": "\u00e4\ud83d\udeaa""#),
            "{text}"
        );
    }
}

#[test]
fn the_notice_of_deprecation_is_kept_apart() {
    let rendered = package(
        "deprecated: {since: 1.0.0, description: x, replaced_by: {package: b}}\ngroup: g\n",
    )
    .rendered()
    .unwrap();
    let notice = r#"{"since":"1.0.0","description":"x","replaced_by":{"package":"b"}}"#;
    assert_eq!(rendered.deprecated.as_deref(), Some(notice));
    assert!(!rendered.element.text.contains("deprecated"));
    let mut out = Vec::new();
    let fill = Fill {
        deprecated: Some(notice),
        signature_path: Some("/s"),
        policy_templates: None,
    };
    rendered.document.write(&mut out, &fill).unwrap();
    let text = String::from_utf8(out).unwrap();
    let expected = "/1.2.3\",\n  \"signature_path\": \"/s\",\n  \"deprecated\": {\n    \"since\": \"1.0.0\",\n    \"description\": \"x\",\n    \
                    \"replaced_by\": {\n      \"package\": \"b\"\n    }\n  },\n  \"group\": \"g\",\n";
    assert!(text.contains(expected), "{text}");
}
