//! Every corner in which readers of YAML differ, as yaml.v2 2.4.0 reads it.

use std::time::{Duration, Instant};

use super::*;

fn read(text: &str) -> Result<Yaml, YamlError> {
    parse(text.as_bytes(), &Limits::default()).map(|document| document.root)
}

/// Writes a tree the way Rust debugs it, short.
fn shown(yaml: &Yaml) -> String {
    let all = |parts: Vec<String>| parts.join(" ");
    match yaml {
        Yaml::Null => "null".to_owned(),
        Yaml::Bool(value) => value.to_string(),
        Yaml::Int(value) => value.to_string(),
        Yaml::Uint(value) => format!("{value}u"),
        Yaml::Float(value) => format!("{value:?}"),
        Yaml::Text(value) => format!("{value:?}"),
        Yaml::List(items) => format!("[{}]", all(items.iter().map(|i| shown(i)).collect())),
        Yaml::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(name, v)| format!("{name}={}", shown(v)));
            format!("{{{}}}", all(entries.collect()))
        }
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let yaml = read(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    assert_eq!(shown(&yaml), expected, "{text:?}");
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let error = read(text).expect_err(text).to_string();
    assert!(error.contains(expected), "{text:?}: {error}");
}

#[test]
fn plain_scalars_mean_what_they_mean_to_go() {
    for (text, expected) in [
        ("y", "true"),
        ("Y", "true"),
        ("yes", "true"),
        ("True", "true"),
        ("ON", "true"),
        ("n", "false"),
        ("No", "false"),
        ("off", "false"),
        ("FALSE", "false"),
        ("oN", "\"oN\""),
        ("tRue", "\"tRue\""),
        ("~", "null"),
        ("Null", "null"),
        ("nULL", "\"nULL\""),
        ("0777", "511"),
        ("010", "8"),
        ("0o17", "15"),
        ("0b11", "3"),
        ("0b-11", "-3"),
        ("0b+1", "1"),
        ("-0b11", "-3"),
        ("0x1F", "31"),
        ("+1", "1"),
        ("-0", "0"),
        ("1_000", "1000"),
        ("1__0", "10"),
        ("_1", "\"_1\""),
        ("08", "8.0"),
        ("1e3", "1000.0"),
        ("1.", "1.0"),
        (".5", "0.5"),
        ("+.5", "0.5"),
        ("-1.5E+2", "-150.0"),
        ("1_0.5", "10.5"),
        ("1e400", "\"1e400\""),
        (".inf", "inf"),
        ("-.Inf", "-inf"),
        (".NAN", "NaN"),
        ("inf", "\"inf\""),
        ("nan", "\"nan\""),
        ("+inf", "\"+inf\""),
        (".", "\".\""),
        ("-", "[null]"),
        ("0x", "\"0x\""),
        ("0o8", "\"0o8\""),
        ("12:30:45", "\"12:30:45\""),
        ("2022-11-01", "\"2022-11-01\""),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854775808u"),
        ("18446744073709551615", "18446744073709551615u"),
        ("18446744073709551616", "1.8446744073709552e19"),
        ("10s", "\"10s\""),
        ("1 2", "\"1 2\""),
        ("<<", "\"<<\""),
    ] {
        check(text, expected);
    }
}

#[test]
fn quoted_and_block_scalars_are_text() {
    for (text, expected) in [
        ("'yes'", r#""yes""#),
        ("\"1\"", r#""1""#),
        ("''", r#""""#),
        ("|\n 1\n", r#""1\n""#),
        (">-\n one\n two\n\n three\n", r#""one two\nthree""#),
        ("\"a\\x41\\u00e9\"", r#""aAé""#),
        // A block at the end of a file gets no line break that is not there.
        ("a: |\n  x", r#"{a="x"}"#),
        ("a: >\n  x\n  ", r#"{a="x\n"}"#),
    ] {
        check(text, expected);
    }
}

#[test]
fn tags_force_a_type_or_are_refused() {
    for (text, expected) in [
        ("!!str 1", "\"1\""),
        ("!!str", "\"\""),
        ("!!int \"1\"", "1"),
        ("!!float 1", "1.0"),
        ("!!float 1.5", "1.5"),
        ("!!bool yes", "true"),
        ("!!null ''", "null"),
        ("!!timestamp 2022-11-01", "\"2022-11-01\""),
        ("!!binary aGVsbG8=", "\"hello\""),
        ("!!binary |\n aGVs\n bG8h\n", "\"hello!\""),
        ("!!binary /w==", "\"\u{fffd}\""),
        ("!<tag:yaml.org,2002:str> 1", "\"1\""),
        ("! 1", "\"1\""),
        ("!own 1", "\"1\""),
        ("!!set {a: 1}", "{a=1}"),
    ] {
        check(text, expected);
    }
    for text in [
        "!!int x",
        "!!int 1.5",
        "!!bool 1",
        "!!null x",
        "!!float x",
        "!!float 18446744073709551615",
        "!!timestamp x",
        "!!binary x",
        "!!binary a===",
        "!!binary =aaa",
        "!!binary aé==",
    ] {
        check_refused(text, "is not tag:yaml.org,2002:");
    }
}

#[test]
fn of_equal_keys_the_last_wins() {
    check("a: 1\nb: 2\na: 3", "{a=3 b=2}");
    check("{a: 1, 'a': {b: 2}}", "{a={b=2}}");
}

#[test]
fn merges_take_effect_where_they_stand() {
    let base = "x: &x {b: 1}\nz: &z {b: 3, c: 4}\n";
    for (text, expected) in [
        ("v: {b: 2, <<: *x}", "{b=1}"),
        ("v: {<<: *x, b: 2}", "{b=2}"),
        ("v: {<<: [*x, *z]}", "{b=1 c=4}"),
        ("v: {<<: {b: 5}}", "{b=5}"),
        ("v: {<<: {<<: *z, b: 5}}", "{b=5 c=4}"),
        ("v: {! \"<<\": *x}", "{b=1}"),
        ("v: {\"<<\": *x}", "{<<={b=1}}"),
        ("v: {<<: []}", "{}"),
    ] {
        let text = format!("{base}{text}");
        check(&text, &format!("{{v={expected} x={{b=1}} z={{b=3 c=4}}}}"));
    }
    for text in [
        "<<: 1",
        "<<:",
        "<<: [1]",
        "x: &x [{b: 1}]\nv: {<<: *x}",
        "<<: [[{a: 1}]]",
    ] {
        check_refused(text, "`<<` needs");
    }
}

#[test]
fn aliases_repeat_a_value_but_never_themselves() {
    check("a: &a [1, {b: 2}]\nc: *a", "{a=[1 {b=2}] c=[1 {b=2}]}");
    check("a: &a 1\nb: &a 2\nc: *a", "{a=1 b=2 c=2}");
    check("&k a: 1\nb: *k", r#"{a=1 b="a"}"#);
    check("a: &x\nb: *x", "{a=null b=null}");
    check_refused("a: &a [*a]", "contains it");
    check_refused("&a a: {b: &b {c: *b}}", "contains it");
    check_refused("a: *b", "not YAML");
}

#[test]
fn keys_are_text() {
    check(
        "\"1\": a\nkey with spaces: b\n'': c",
        r#"{="c" 1="a" key with spaces="b"}"#,
    );
    check("2022-11-01: a", r#"{2022-11-01="a"}"#);
    for text in [
        "1: a",
        "yes: a",
        "~: a",
        "? [a]\n: b",
        "? {a: b}\n: c",
        "1.5: a",
        "x: &x [a]\n*x : b",
    ] {
        check_refused(text, "key that is no text");
    }
}

#[test]
fn only_the_first_document_counts() {
    check("---\na: 1\n---\nb: 2", "{a=1}");
    check("a: 1\n...\n[", "{a=1}");
    for nothing in ["", "# only", "\n\n", "---\n---\na: 1"] {
        check(nothing, "null");
    }
}

#[test]
fn indentation_is_read_as_leniently_as_libyaml_does() {
    for text in [
        "a: [\n  \"b\",\n  \"c\"\n]\nd: 1",
        "a: [\nb,\nc\n]\nd: 1",
        "a:\n- b\n- c\nd: 1",
    ] {
        check(text, r#"{a=["b" "c"] d=1}"#);
    }
    check("a: \"x\ny\"", r#"{a="x y"}"#);
    check("a: {\nb: 1\n}", "{a={b=1}}");
}

#[test]
fn what_is_not_yaml_1_1_in_utf_8_is_refused() {
    check("%YAML 1.1\n---\na: 1", "{a=1}");
    check("\u{feff}a: 1", "{a=1}");
    check_refused("%YAML 1.2\n---\na: 1", "YAML 1.2 is not 1.1");
    check_refused("a: [", "not YAML");
    check_refused("a: b: c", "not YAML");
    check_refused(
        "a: 1\nb: \u{7}",
        "line 2: YAML holds the control character U+0007",
    );
    let error = parse(b"a: \xff", &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "YAML is not UTF-8");
}

#[test]
fn each_bound_is_exact() {
    let with = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let limits = with(|l| l.yaml_depth = 2);
    assert!(parse(b"[[1]]", &limits).is_ok());
    let error = parse(b"\n[[[1]]]", &limits).unwrap_err();
    assert_eq!(error.to_string(), "line 2: YAML nested deeper than 2");
    let error = parse(b"{a: &a [1], b: [*a]}", &limits).unwrap_err();
    assert_eq!(error.to_string(), "line 1: YAML nested deeper than 2");

    let limits = with(|l| l.yaml_nodes = 4);
    assert_eq!(parse(b"[1, 2, 3]", &limits).unwrap().nodes, 4);
    let error = parse(b"[1, 2, 3, 4]", &limits).unwrap_err();
    assert_eq!(error.to_string(), "line 1: more than 4 YAML nodes");
    assert!(parse(b"[&a [1], *a]", &limits).is_err());
    let long = format!("[{}]", "x".repeat(3 * TEXT_BYTES_PER_NODE));
    assert!(parse(long.as_bytes(), &limits).is_err());

    let limits = with(|l| l.yaml_aliases = 1);
    assert!(parse(b"[&a 1, *a]", &limits).is_ok());
    let error = parse(b"[&a 1, *a, *a]", &limits).unwrap_err();
    assert_eq!(error.to_string(), "line 1: more than 1 YAML aliases");

    let error = parse(b"[&a 1, &b 2]", &limits).unwrap_err();
    assert_eq!(error.to_string(), "line 1: more than 1 YAML anchors");

    let limits = with(|l| l.yaml_alias_nodes = 4);
    assert_eq!(parse(b"[&a [1], *a, *a]", &limits).unwrap().alias_nodes, 4);
    let error = parse(b"[&a [1], *a, *a,\n *a]", &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2: YAML aliases stand for more than 4 nodes"
    );

    let limits = with(|l| l.manifest_bytes = 4);
    assert!(parse(b"abcd", &limits).is_ok());
    let error = parse(b"abcde", &limits).unwrap_err();
    assert_eq!(error.to_string(), "5 bytes of YAML where 4 are allowed");
}

#[test]
fn hostile_text_is_refused_before_it_costs_anything() {
    let bomb = {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..12 {
            let aliases = vec![format!("*a{}", n - 1); 9].join(",");
            text.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
        }
        text
    };
    let long = format!(
        "a: &a {}\nb: [{}]",
        "x".repeat(3 << 20),
        vec!["*a"; 900].join(",")
    );
    let mut texts = vec![bomb, long];
    for (opening, times) in [
        ("[", 1 << 20),
        ("{a: ", 1 << 18),
        ("- ", 1 << 19),
        ("? ", 1 << 19),
        ("&a [", 1 << 18),
        ("[[[[\n", 1 << 18),
    ] {
        texts.push(opening.repeat(times));
    }
    let deep: String = (0..1200)
        .map(|n| format!("{}a:\n", " ".repeat(n)))
        .collect();
    texts.push(deep);
    for text in texts {
        let start = Instant::now();
        let shown: String = text.chars().take(20).collect();
        assert!(read(&text).is_err(), "{shown}");
        assert!(start.elapsed() < Duration::from_secs(5), "{shown}");
    }
}
