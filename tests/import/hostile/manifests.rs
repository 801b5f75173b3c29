//! Manifests: bombs, lies and what is no manifest. Each puts its package aside, or is taken as the reference takes it.

use super::outcomes;
use crate::archives::tar;
use crate::trees::manifest;

/// Each manifest is that of a package between two good ones.
fn in_a_package<'n>(cases: impl IntoIterator<Item = (&'n str, Vec<u8>)>) -> String {
    outcomes(cases.into_iter().map(|(name, manifest)| {
        let tar = tar()
            .package("a/1.0.0")
            .file("bad/1.0.0/docs/README.md", "")
            .file("bad/1.0.0/manifest.yml", manifest)
            .package("z/1.0.0");
        (name, tar.bytes())
    }))
}

/// Returns a good manifest with more lines.
fn and(lines: impl AsRef<[u8]>) -> Vec<u8> {
    [manifest("bad", "1.0.0").as_bytes(), lines.as_ref()].concat()
}

/// Returns a good manifest in which one text takes the place of another.
fn but(text: &str, other: &str) -> Vec<u8> {
    let manifest = manifest("bad", "1.0.0");
    assert!(manifest.contains(text), "{text}");
    manifest.replacen(text, other, 1).into_bytes()
}

#[test]
fn yaml_that_is_none_or_too_much_puts_its_package_aside() {
    let laughs = (1..10).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, n| {
        format!(
            "{text}a{n}: &a{n} [{}]\n",
            vec![format!("*a{}", n - 1); 9].join(",")
        )
    });
    let merges = (1..10).fold("a0: &a0 {x: y}\n".to_owned(), |text, n| {
        let merged = vec![format!("*a{}", n - 1); 9].join(",");
        format!("{text}a{n}: &a{n} {{<<: [{merged}]}}\n")
    });
    let seen = in_a_package([
        ("nothing", vec![]),
        ("NULs", vec![0; 100]),
        ("text", b"hello".to_vec()),
        ("a list", b"- a\n- b\n".to_vec()),
        ("JSON", br#"{"name": "bad", "version": "1.0.0"}"#.to_vec()),
        ("XML", b"<?xml version=\"1.0\"?>".to_vec()),
        ("not UTF-8", and(b"x: \xff\n")),
        (
            "UTF-16",
            manifest("bad", "1.0.0")
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
        ("control character", and("x: \u{7}\n")),
        ("bracket left open", and("x: [\n")),
        ("quote left open", and("x: \"\n")),
        ("tab as indentation", and("x:\n\ty: z\n")),
        ("YAML 1.2", [b"%YAML 1.2\n---\n", &and("")[..]].concat()),
        ("billion laughs", and(laughs)),
        ("billion merges", and(merges)),
        ("alias to itself", and("x: &x [*x]\n")),
        ("alias to nothing", and("x: *y\n")),
        ("merge of text", and("<<: text\n")),
        (
            "anchors without end",
            and(format!("x: [{}]\n", "&a b,".repeat(2_000))),
        ),
        (
            "aliases without end",
            and(format!("x: [&a b{}]\n", ",*a".repeat(2_000))),
        ),
        (
            "long text by aliases",
            and(format!(
                "x: [&a {}{}]\n",
                "b".repeat(9_000),
                ",*a".repeat(900)
            )),
        ),
        (
            "lists 65 deep",
            and(format!("x: {}{}\n", "[".repeat(65), "]".repeat(65))),
        ),
        (
            "lists 1,000,000 deep",
            and(format!("x: {}", "[".repeat(1_000_000))),
        ),
        (
            "maps 1,000,000 deep",
            and(format!("x: {}", "{a: ".repeat(1_000_000))),
        ),
        (
            "lists in block form 100,000 deep",
            and(format!("x:\n {}", "- ".repeat(100_000))),
        ),
        (
            "names with dots 100,000 deep",
            and(format!("{}: b\n", "a.".repeat(400))),
        ),
        (
            "nodes without end",
            and(format!("x: [{}]\n", "a,".repeat(300_000))),
        ),
        ("key that is a list", and("? [a]\n: b\n")),
        ("key that is a number", and("1: b\n")),
        ("tag that does not hold", and("x: !!int hello\n")),
        (
            "tag of Python",
            and("x: !!python/object/apply:os.system [id]\n"),
        ),
        (
            "one byte too long",
            and(" ".repeat((4 << 20) + 1 - and("").len())),
        ),
        ("100 MB", and("#".repeat(100_000_000))),
        (
            "two documents",
            [and(""), b"---\nname: other\n".to_vec()].concat(),
        ),
        ("same key twice", and("title: again\n")),
        ("unknown keys", and("x: y\n_: {z: [1, 2]}\n")),
        (
            "HTML in the title",
            but("title: bad", "title: <script>alert(1)</script>"),
        ),
    ]);
    insta::assert_snapshot!(seen, @r#"
    nothing: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package name "" [2 artifact, 6 content, 1 quarantine]
    NULs: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 1: YAML holds the control character U+0000 [2 artifact, 6 content, 1 quarantine]
    text: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as settings: settings are one value, not a mapping [2 artifact, 6 content, 1 quarantine]
    a list: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package name "" [2 artifact, 6 content, 1 quarantine]
    JSON: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    XML: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as settings: settings are one value, not a mapping [2 artifact, 6 content, 1 quarantine]
    not UTF-8: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: YAML is not UTF-8: invalid utf-8 sequence of 1 bytes from index 201 [2 artifact, 6 content, 1 quarantine]
    UTF-16: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 1: YAML holds the control character U+0000 [2 artifact, 6 content, 1 quarantine]
    control character: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: YAML holds the control character U+0007 [2 artifact, 6 content, 1 quarantine]
    bracket left open: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: not YAML: unclosed bracket '[' at char 201 line 13 column 4 [2 artifact, 6 content, 1 quarantine]
    quote left open: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: not YAML: unclosed quote at char 201 line 13 column 4 [2 artifact, 6 content, 1 quarantine]
    tab as indentation: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: not YAML: tabs disallowed within this context (block indentation) at char 202 line 14 column 2 [2 artifact, 6 content, 1 quarantine]
    YAML 1.2: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: YAML 1.2 is not 1.1 [2 artifact, 6 content, 1 quarantine]
    billion laughs: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 16: YAML aliases stand for more than 5000 nodes [2 artifact, 6 content, 1 quarantine]
    billion merges: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 17: YAML aliases stand for more than 5000 nodes [2 artifact, 6 content, 1 quarantine]
    alias to itself: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: YAML alias to a value that contains it [2 artifact, 6 content, 1 quarantine]
    alias to nothing: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: not YAML: while parsing node, found unknown anchor at char 201 line 13 column 4 [2 artifact, 6 content, 1 quarantine]
    merge of text: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: `<<` needs a mapping or a sequence of mappings [2 artifact, 6 content, 1 quarantine]
    anchors without end: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: more than 1000 YAML anchors [2 artifact, 6 content, 1 quarantine]
    aliases without end: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: more than 1000 YAML aliases [2 artifact, 6 content, 1 quarantine]
    long text by aliases: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: YAML aliases stand for more than 5000 nodes [2 artifact, 6 content, 1 quarantine]
    lists 65 deep: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: YAML nested deeper than 64 [2 artifact, 6 content, 1 quarantine]
    lists 1,000,000 deep: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: not YAML: recursion limit exceeded at char 456 line 13 column 259 [2 artifact, 6 content, 1 quarantine]
    maps 1,000,000 deep: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: YAML nested deeper than 64 [2 artifact, 6 content, 1 quarantine]
    lists in block form 100,000 deep: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 14: YAML nested deeper than 64 [2 artifact, 6 content, 1 quarantine]
    names with dots 100,000 deep: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as settings: setting "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a." nested deeper than 64 [2 artifact, 6 content, 1 quarantine]
    nodes without end: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: more than 250000 YAML nodes [2 artifact, 6 content, 1 quarantine]
    key that is a list: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: YAML key that is no text [2 artifact, 6 content, 1 quarantine]
    key that is a number: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: YAML key that is no text [2 artifact, 6 content, 1 quarantine]
    tag that does not hold: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest is not readable as YAML: line 13: "hello" is not tag:yaml.org,2002:int [2 artifact, 6 content, 1 quarantine]
    tag of Python: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    one byte too long: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml is larger than 4194304 bytes [2 artifact, 6 content, 1 quarantine]
    100 MB: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml is larger than 4194304 bytes [2 artifact, 6 content, 1 quarantine]
    two documents: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    same key twice: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    unknown keys: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    HTML in the title: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    "#);
}

#[test]
fn what_a_manifest_says_is_checked_before_its_package_is_taken() {
    let seen = in_a_package([
        ("no name", but("name: bad\n", "")),
        ("no version", but("version: 1.0.0\n", "")),
        ("no format version", but("format_version: 1.0.0\n", "")),
        (
            "format of another world",
            but("format_version: 1.0.0", "format_version: 99.0.0"),
        ),
        (
            "format that is no version",
            but("format_version: 1.0.0", "format_version: latest"),
        ),
        (
            "format of huge numbers",
            but(
                "format_version: 1.0.0",
                "format_version: 99999999999999999999.0.0",
            ),
        ),
        (
            "format that is a list",
            but("format_version: 1.0.0", "format_version: [1]"),
        ),
        ("name with a slash", but("name: bad", "name: ../bad")),
        ("name in capitals", but("name: bad", "name: BAD")),
        ("name of nothing", but("name: bad", "name: \"\"")),
        (
            "name of 64 KiB",
            but("name: bad", &format!("name: {}", "b".repeat(65_536))),
        ),
        ("name that is a map", but("name: bad", "name: {a: b}")),
        ("name of another", but("name: bad", "name: a")),
        (
            "version that is none",
            but("\nversion: 1.0.0", "\nversion: one"),
        ),
        (
            "version of two parts",
            but("\nversion: 1.0.0", "\nversion: 1.0"),
        ),
        (
            "version with a slash",
            but("\nversion: 1.0.0", "\nversion: 1.0.0-../x"),
        ),
        (
            "version of huge numbers",
            but("\nversion: 1.0.0", "\nversion: 1.99999999999999999999.0"),
        ),
        (
            "version with leading zeros",
            but("\nversion: 1.0.0", "\nversion: 01.0.0"),
        ),
        (
            "version of 64 KiB",
            but(
                "\nversion: 1.0.0",
                &format!("\nversion: 1.0.0-{}", "a.".repeat(32_768)),
            ),
        ),
        (
            "version that is a float",
            but("\nversion: 1.0.0", "\nversion: 1e999"),
        ),
        ("type of its own", but("type: integration", "type: weapon")),
        (
            "constraint that is none",
            but("\"^7.9.0 || ^8.0.0\"", "\"hello\""),
        ),
        ("constraint of nothing", but("\"^7.9.0 || ^8.0.0\"", "\"\"")),
        (
            "constraint of 2 KiB",
            but(
                "\"^7.9.0 || ^8.0.0\"",
                &format!("\">={}1.0.0\"", " ".repeat(2048)),
            ),
        ),
        (
            "constraint of 65 clauses",
            but("^7.9.0 || ^8.0.0", &["1.0.0"; 65].join(" || ")),
        ),
        (
            "constraint of huge numbers",
            but("^7.9.0", "^99999999999999999999.0.0"),
        ),
        ("constraint of stars", but("^7.9.0 || ^8.0.0", "*.*.*")),
        (
            "constraint of hyphens",
            but("^7.9.0 || ^8.0.0", "1 - 2 - 3 - 4"),
        ),
        (
            "constraint of operators",
            but("^7.9.0 || ^8.0.0", "<>=~^!=1.0.0"),
        ),
        (
            "conditions that are text",
            but("\n  kibana.version: \"^7.9.0 || ^8.0.0\"", " hello"),
        ),
        (
            "categories that are a number",
            but("categories:\n  - web", "categories: 7"),
        ),
        (
            "icon that is not there",
            and(
                "icons:\n  - src: /img/none.svg\n    title: x\n    size: 1x1\n    type: image/svg+xml\n",
            ),
        ),
        (
            "icon outside of the package",
            and("icons:\n  - src: /../../etc/passwd\n    title: x\n"),
        ),
        (
            "icon elsewhere",
            and("icons:\n  - src: javascript:alert(1)\n    title: x\n"),
        ),
        (
            "policy template without anything",
            and("policy_templates:\n  - {}\n"),
        ),
        (
            "policy templates without end",
            and(format!(
                "policy_templates: [{}]\n",
                "{name: x, title: x, description: x},".repeat(3_000)
            )),
        ),
        (
            "hugest number",
            and("vars:\n  - name: x\n    type: integer\n    default: 1e308\n"),
        ),
        (
            "number beyond",
            and("vars:\n  - name: x\n    type: integer\n    default: 99999999999999999999999999\n"),
        ),
        (
            "not a number",
            and("vars:\n  - name: x\n    type: integer\n    default: .nan\n"),
        ),
        (
            "infinite",
            and("vars:\n  - name: x\n    type: integer\n    default: -.inf\n"),
        ),
    ]);
    insta::assert_snapshot!(seen, @r#"
    no name: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package name "" [2 artifact, 6 content, 1 quarantine]
    no version: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package name "" [2 artifact, 6 content, 1 quarantine]
    no format version: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    format of another world: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    format that is no version: takes a 1.0.0, z 1.0.0; bad/1.0.0: format_version "latest" is no version [2 artifact, 6 content, 1 quarantine]
    format of huge numbers: takes a 1.0.0, z 1.0.0; bad/1.0.0: format_version "99999999999999999999.0.0" is no version [2 artifact, 6 content, 1 quarantine]
    format that is a list: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest has a bad setting: setting "format_version": a section is no text [2 artifact, 6 content, 1 quarantine]
    name with a slash: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package name "../bad" [2 artifact, 6 content, 1 quarantine]
    name in capitals: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package name "BAD" [2 artifact, 6 content, 1 quarantine]
    name of nothing: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package name "" [2 artifact, 6 content, 1 quarantine]
    name of 64 KiB: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package name "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" [2 artifact, 6 content, 1 quarantine]
    name that is a map: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest has a bad setting: setting "name": a section is no text [2 artifact, 6 content, 1 quarantine]
    name of another: takes a 1.0.0, z 1.0.0; bad/1.0.0: a 1.0.0 was in this source before, at a/1.0.0 [3 artifact, 9 content, 1 quarantine]
    version that is none: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package version "one" [2 artifact, 6 content, 1 quarantine]
    version of two parts: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package version "1" [2 artifact, 6 content, 1 quarantine]
    version with a slash: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package version "1.0.0-../x" [2 artifact, 6 content, 1 quarantine]
    version of huge numbers: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package version "1.99999999999999999999.0" [2 artifact, 6 content, 1 quarantine]
    version with leading zeros: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package version "01.0.0" [2 artifact, 6 content, 1 quarantine]
    version of 64 KiB: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package version "1.0.0-a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a." [2 artifact, 6 content, 1 quarantine]
    version that is a float: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml names no package version: invalid package version "1e999" [2 artifact, 6 content, 1 quarantine]
    type of its own: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    constraint that is none: takes a 1.0.0, z 1.0.0; bad/1.0.0: condition on kibana is no version constraint: improper version constraint "hello" [2 artifact, 6 content, 1 quarantine]
    constraint of nothing: takes a 1.0.0, z 1.0.0; bad/1.0.0: condition on kibana is no version constraint: improper version constraint "" [2 artifact, 6 content, 1 quarantine]
    constraint of 2 KiB: takes a 1.0.0, z 1.0.0; bad/1.0.0: condition on kibana is no version constraint: version constraint of 2055 bytes, 1024 allowed [2 artifact, 6 content, 1 quarantine]
    constraint of 65 clauses: takes a 1.0.0, z 1.0.0; bad/1.0.0: condition on kibana is no version constraint: version constraint "1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0 || 1.0.0" has more than 64 clauses [2 artifact, 6 content, 1 quarantine]
    constraint of huge numbers: takes a 1.0.0, z 1.0.0; bad/1.0.0: condition on kibana is no version constraint: improper version constraint "^99999999999999999999.0.0 || ^8.0.0" [2 artifact, 6 content, 1 quarantine]
    constraint of stars: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    constraint of hyphens: takes a 1.0.0, z 1.0.0; bad/1.0.0: condition on kibana is no version constraint: improper version constraint "1 - 2 - 3 - 4" [2 artifact, 6 content, 1 quarantine]
    constraint of operators: takes a 1.0.0, z 1.0.0; bad/1.0.0: condition on kibana is no version constraint: improper version constraint "<>=~^!=1.0.0" [2 artifact, 6 content, 1 quarantine]
    conditions that are text: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest has a bad setting: setting "conditions": text is no section [2 artifact, 6 content, 1 quarantine]
    categories that are a number: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    icon that is not there: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    icon outside of the package: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    icon elsewhere: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    policy template without anything: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest has a bad setting: setting "policy_templates.0": missing field `name` [2 artifact, 6 content, 1 quarantine]
    policy templates without end: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    hugest number: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    number beyond: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 9 content]
    not a number: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest has a bad setting: setting "vars.0.default": a number is no number that JSON can hold [2 artifact, 6 content, 1 quarantine]
    infinite: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml cannot be read: manifest has a bad setting: setting "vars.0.default": a number is no number that JSON can hold [2 artifact, 6 content, 1 quarantine]
    "#);
}

#[test]
fn a_bad_data_stream_puts_its_package_aside() {
    let cases: [(&str, &[u8]); 8] = [
        ("nothing", b""),
        ("text", b"hello"),
        ("bracket left open", b"["),
        ("not UTF-8", b"title: \xff"),
        ("no type", b"title: x\n"),
        ("type of its own", b"title: x\ntype: weapon\n"),
        ("a list", b"- a\n"),
        (
            "streams that are text",
            b"title: x\ntype: logs\nstreams: hello\n",
        ),
    ];
    let seen = outcomes(cases.map(|(name, text)| {
        let tar = tar()
            .package("a/1.0.0")
            .package("bad/1.0.0")
            .file("bad/1.0.0/data_stream/d/manifest.yml", text)
            .package("z/1.0.0");
        (name, tar.bytes())
    }));
    insta::assert_snapshot!(seen, @r#"
    nothing: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml of data stream "d" cannot be read: manifest has a bad setting: missing field `type` [2 artifact, 6 content, 1 quarantine]
    text: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml of data stream "d" cannot be read: manifest is not readable as settings: settings are one value, not a mapping [2 artifact, 6 content, 1 quarantine]
    bracket left open: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml of data stream "d" cannot be read: manifest is not readable as YAML: not YAML: unclosed bracket '[' at char 0 line 1 column 1 [2 artifact, 6 content, 1 quarantine]
    not UTF-8: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml of data stream "d" cannot be read: manifest is not readable as YAML: YAML is not UTF-8: invalid utf-8 sequence of 1 bytes from index 7 [2 artifact, 6 content, 1 quarantine]
    no type: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml of data stream "d" cannot be read: manifest has a bad setting: missing field `type` [2 artifact, 6 content, 1 quarantine]
    type of its own: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    a list: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml of data stream "d" cannot be read: manifest has a bad setting: missing field `type` [2 artifact, 6 content, 1 quarantine]
    streams that are text: takes a 1.0.0, z 1.0.0; bad/1.0.0: manifest.yml of data stream "d" cannot be read: manifest has a bad setting: setting "streams.0": text is no section [2 artifact, 6 content, 1 quarantine]
    "#);
}
