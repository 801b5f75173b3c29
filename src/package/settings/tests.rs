//! What go-ucfg 0.9.1 makes of the same YAML.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::*;
use crate::package::{json, yaml};

fn settings(text: &str, limits: &Limits) -> Result<Setting, SettingsError> {
    let yaml = yaml::parse(text.as_bytes(), limits).expect(text).root;
    from_yaml(&yaml, limits).map(|(root, _)| root)
}

/// Returns what is set at `x`, untyped, as compact JSON.
#[track_caller]
fn untyped(text: &str) -> String {
    #[derive(Deserialize)]
    struct Wrapped {
        x: Option<Value>,
    }
    let settings = settings(text, &Limits::default()).expect(text);
    json::compact(&Wrapped::deserialize(&settings).expect(text).x)
}

fn refusal(text: &str) -> String {
    settings(text, &Limits::default())
        .expect_err(text)
        .to_string()
}

#[test]
fn dotted_names_are_sections() {
    for (text, expected) in [
        ("x.a.b: 1", r#"{"a":{"b":1}}"#),
        ("x: {a.b: 1, a: {c: 2}}", r#"{"a":{"b":1,"c":2}}"#),
        (
            "x.a: {b: 1}\nx: {a: {c: 2}, d: 3}",
            r#"{"a":{"b":1,"c":2},"d":3}"#,
        ),
        ("x: {a: ~, a.b: 1}", r#"{"a":{"b":1}}"#),
        ("x: {a.b: 1, a: ~}", r#"{"a":{"b":1}}"#),
        ("x: {a: [{b: 1}], a.0.c: 2}", r#"{"a":[{"b":1,"c":2}]}"#),
        ("x: {a: [1], a.2: 3}", r#"{"a":[1,null,3]}"#),
        ("x: {.: 1}", r#"{"":{"":1}}"#),
    ] {
        assert_eq!(untyped(text), expected, "{text}");
    }
}

#[test]
fn small_numbers_are_places_in_a_list() {
    for (text, expected) in [
        (r#"x: {"0": a, "1": b}"#, r#"["a","b"]"#),
        (r#"x: {"2": c}"#, r#"[null,null,"c"]"#),
        (r#"x: {"0x1": b, "-0": a}"#, r#"["a","b"]"#),
        (r#"x: {"0": a, m: b}"#, r#"{"0":"a","m":"b"}"#),
        (r#"x: {"1025": a}"#, r#"{"1025":"a"}"#),
        (
            r#"x: {"1.5": a}"#,
            r#"[null,[null,null,null,null,null,"a"]]"#,
        ),
    ] {
        assert_eq!(untyped(text), expected, "{text}");
    }
    assert_eq!(
        refusal(r#"{"-1": a}"#),
        "setting \"-1\" has a negative index"
    );
}

#[test]
fn what_is_set_twice_is_refused_and_nothing_is_not_set() {
    for text in [
        "x: {a: {b: 1}, a.b: 2}",
        "x: {a: {b: 1}, a.b: {c: 1}}",
        "x: {a: [1], a.0: 2}",
    ] {
        assert_eq!(
            refusal(text),
            format!(
                "setting {:?} is set twice",
                if text.contains('0') { "a.0" } else { "a.b" }
            )
        );
    }
    for text in ["{a: 1, a.b: 2}", "{a: 1, a.b.c: 2}", "{a: x, a.0: 2}"] {
        assert!(refusal(text).contains("lies below a plain value"), "{text}");
    }
    assert_eq!(untyped("x: {a: {b: 1}, a.b: ~}"), r#"{"a":{"b":1}}"#);
    assert_eq!(
        untyped("x: {a: {b: {c: 1}}, a.b: {d: 2}}"),
        r#"{"a":{"b":{"c":1,"d":2}}}"#
    );
}

#[test]
fn merged_sections_take_the_new_value_inside() {
    // Both spellings of `a.b` are sections, so what is inside is merged and not compared.
    assert_eq!(
        untyped("x: {a: {b: {c: 1}}, a.b: {c: 2}}"),
        r#"{"a":{"b":{"c":2}}}"#
    );
    assert_eq!(
        untyped("x: {a: {b: {c: [1, 2]}}, a.b: {c: [3]}}"),
        r#"{"a":{"b":{"c":[3,2]}}}"#
    );
    assert_eq!(
        untyped("x: {a: {b: {c: [1]}}, a.b: {c: [3, 4]}}"),
        r#"{"a":{"b":{"c":[3,4]}}}"#
    );
    assert_eq!(
        untyped("x: {a: {b: {c: {d: 1}}}, a.b: {c: ~}}"),
        r#"{"a":{"b":{"c":{"d":1}}}}"#
    );
}

#[test]
fn an_empty_section_reads_as_nothing_and_an_empty_list_does_not() {
    for (text, expected) in [
        ("x: {}", "null"),
        ("x: []", "[]"),
        ("x: ~", "null"),
        (
            "x: [{}, [], ~, \"\", 0, false]",
            r#"[null,[],null,"",0,false]"#,
        ),
        ("x: {a: {b: {}}, c: ~}", r#"{"a":{"b":null},"c":null}"#),
    ] {
        assert_eq!(untyped(text), expected, "{text}");
    }
}

#[test]
fn a_free_map_drops_what_reads_as_nothing_at_its_top_only() {
    let settings = settings(
        "{a: {}, b: ~, c: [], d: {e: {}, f: ~}, \"0\": lost, g.h: 1}",
        &Limits::default(),
    )
    .unwrap();
    let map = Map::<String, Value>::deserialize(&settings).unwrap();
    assert_eq!(
        json::compact(&map),
        r#"{"c":[],"d":{"e":null,"f":null},"g":{"h":1}}"#
    );
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Typed {
    text: String,
    maybe: Option<String>,
    flag: bool,
    list: Vec<String>,
    parts: Vec<Part>,
    part: Option<Part>,
    #[serde(rename = "deep.name")]
    deep: String,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Part {
    name: String,
}

fn typed(text: &str) -> Result<Typed, String> {
    let settings = settings(text, &Limits::default()).expect(text);
    Typed::deserialize(&settings).map_err(|e| e.to_string())
}

#[test]
fn values_are_converted_as_go_ucfg_does() {
    let text = |text: &str| Typed {
        text: text.to_owned(),
        ..Typed::default()
    };
    for (yaml, expected) in [
        ("text: 1", text("1")),
        ("text: -5", text("-5")),
        ("text: 18446744073709551615", text("18446744073709551615")),
        ("text: 1.10", text("1.1")),
        ("text: 1e6", text("1e+06")),
        ("text: .inf", text("+Inf")),
        ("text: yes", text("true")),
        ("text: ~", text("")),
        ("text: \"yes\"", text("yes")),
    ] {
        assert_eq!(typed(yaml), Ok(expected), "{yaml}");
    }
    for (yaml, flag) in [
        ("flag: yes", true),
        ("flag: \"T\"", true),
        ("flag: \"1\"", true),
        ("flag: \"False\"", false),
        ("flag: ~", false),
    ] {
        assert_eq!(typed(yaml).map(|t| t.flag), Ok(flag), "{yaml}");
    }
    for (yaml, list) in [
        ("list: a", &["a"][..]),
        ("list: 1", &["1"]),
        ("list: [a, 1, ~, yes]", &["a", "1", "", "true"]),
        ("list: {a: b}", &[]),
        ("list: {}", &[]),
        ("list: ~", &[]),
        ("list: {\"1\": b}", &["", "b"]),
        ("list.0: a", &["a"]),
    ] {
        assert_eq!(typed(yaml).unwrap().list, list, "{yaml}");
    }
    assert_eq!(typed("maybe: ''").unwrap().maybe.as_deref(), Some(""));
    assert_eq!(typed("maybe: ~").unwrap().maybe, None);
    assert_eq!(typed("part: {}").unwrap().part, Some(Part::default()));
    assert_eq!(typed("part: []").unwrap().part, Some(Part::default()));
    assert_eq!(typed("part: ~").unwrap().part, None);
    assert_eq!(typed("parts: [~, {name: a}]").unwrap().parts.len(), 2);
    assert_eq!(typed("parts: {}").unwrap().parts, []);
    for yaml in [
        "deep.name: a",
        "deep: {name: a}",
        "{deep: {other: b}, deep.name: a}",
    ] {
        assert_eq!(typed(yaml).unwrap().deep, "a", "{yaml}");
    }
    for yaml in ["deep: a", "deep: {name: ~}", "deep: ~", "unknown: 1"] {
        assert_eq!(typed(yaml).unwrap().deep, "", "{yaml}");
    }
}

#[test]
fn what_cannot_be_converted_is_refused_with_its_path() {
    for (yaml, message) in [
        ("text: {a: b}", "setting \"text\": a section is no text"),
        ("text: [a]", "setting \"text\": a section is no text"),
        ("flag: 1", "setting \"flag\": a number is no boolean"),
        ("flag: \"yes\"", "setting \"flag\": \"yes\" is no boolean"),
        ("flag: {}", "setting \"flag\": a section is no boolean"),
        ("list: [a, [b]]", "setting \"list.1\": a section is no text"),
        ("part: a", "setting \"part\": text is no section"),
        ("parts: a", "setting \"parts.0\": text is no section"),
        (
            "parts: [{name: {}}]",
            "setting \"parts.0.name\": a section is no text",
        ),
    ] {
        assert_eq!(typed(yaml).unwrap_err(), message, "{yaml}");
    }
    let number = settings("x: .nan", &Limits::default()).unwrap();
    let error = Map::<String, Value>::deserialize(&number).unwrap_err();
    assert_eq!(
        error.to_string(),
        "setting \"x\": a number is no number that JSON can hold"
    );
    let list = settings("x: [a]", &Limits::default()).unwrap();
    let x = match &list {
        Setting::Section(section) => &section.named["x"],
        other => panic!("{other:?}"),
    };
    assert!(Map::<String, Value>::deserialize(x).unwrap().is_empty());
    assert!(Map::<String, Value>::deserialize(&Setting::Bool(true)).is_err());
}

#[test]
fn the_top_is_a_mapping_a_sequence_or_nothing() {
    let nothing = Setting::Section(Section::default());
    assert_eq!(settings("", &Limits::default()), Ok(nothing));
    assert_eq!(refusal("a"), "settings are one value, not a mapping");
    assert_eq!(refusal("1"), "settings are one value, not a mapping");
    let list = settings("[{text: a}]", &Limits::default()).unwrap();
    assert_eq!(Typed::deserialize(&list), Ok(Typed::default()));
}

#[test]
fn dots_and_places_cannot_blow_up_memory_or_the_stack() {
    let limits = Limits {
        yaml_depth: 3,
        ..Limits::default()
    };
    assert!(settings("{a.b.c: 1}", &limits).is_ok());
    let error = settings("{a.b.c.d: 1}", &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "setting \"a.b.c.d\" nested deeper than 3"
    );
    assert!(settings("{a: {b.c: 1}}", &limits).is_ok());
    assert!(settings("{a.b: {c.d: 1}}", &limits).is_err());
    let long = format!("? {}\n: 1", vec!["a"; 500_000].join("."));
    assert!(refusal(&long).contains("nested deeper than 64"));

    let limits = Limits {
        yaml_nodes: 5_000,
        ..Limits::default()
    };
    let spread: String = (0..20).map(|n| format!("a{n}.1024: 1\n")).collect();
    let error = settings(&spread, &limits).unwrap_err();
    assert_eq!(error.to_string(), "more than 10000 settings");
    let deep = vec!["1024"; 60].join(".");
    assert!(settings(&format!("\"{deep}\": 1"), &limits).is_err());
}
