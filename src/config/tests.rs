//! Layers, faults, the reference's own settings, and that table, sample and documentation say the same.

use super::*;
use std::fs;

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Reads `text` as the file `airlock.toml`; faults are told with their lines and hints.
fn read(text: &str) -> Result<Config, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("airlock.toml");
    fs::write(&file, text).unwrap();
    let place = format!("{}/", folder.path().display());
    check_file(&file).map_err(|error| {
        let told = error.problems.iter().map(|problem| match &problem.hint {
            Some(hint) => format!("{problem} ({hint})"),
            None => problem.to_string(),
        });
        told.map(|line| line.replace(&place, "")).collect()
    })
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("airlock.toml");
    fs::write(
        &file,
        "data_dir = \"/file\"\n[listen]\napi = [\"127.0.0.1:1\"]\nmetrics = \"127.0.0.1:2\"\n",
    )
    .unwrap();
    let environment = environment(&[
        ("AIRLOCK_CONFIG", file.to_str().unwrap()),
        ("AIRLOCK_DATA_DIR", "/variable"),
        ("AIRLOCK_LISTEN_API", "127.0.0.1:3, [::1]:4"),
        ("AIRLOCK_LISTEN", "127.0.0.1:5"),
        ("AIRLOCK_LISTEN_METRICS", ""),
        ("STATE_DIRECTORY", "/state"),
    ]);
    let flags = Flags {
        data_dir: Some("/flag".into()),
        ..Flags::default()
    };
    let config = Config::load(&flags, &environment).unwrap();
    assert_eq!(config.data_dir.value, Some("/flag".into()));
    assert_eq!(config.data_dir.origin, Origin::Flag("--data-dir"));
    let api: Vec<_> = config.listen.api.iter().map(ToString::to_string).collect();
    assert_eq!(api, ["127.0.0.1:3", "[::1]:4"]);
    assert_eq!(config.listen.api.origin.to_string(), "AIRLOCK_LISTEN_API");
    assert_eq!(config.listen.metrics.value.as_ref().unwrap().port, 2);
    let line = format!("{}:4", file.display());
    assert_eq!(config.listen.metrics.origin.to_string(), line);
    assert_eq!(config.log.level.value, LogLevel::Info);
    assert_eq!(config.log.level.origin, Origin::Default);
}

#[test]
fn the_folder_is_systemds_where_nobody_names_one_else_the_users() {
    let state = environment(&[("STATE_DIRECTORY", "/var/lib/airlock:/var/lib/other")]);
    let config = Config::load_from(None, &Flags::default(), &state).unwrap();
    assert_eq!(config.data_dir.value, Some("/var/lib/airlock".into()));
    assert_eq!(config.data_dir.origin.to_string(), "STATE_DIRECTORY");
    let own = Config::from_flags(&Flags::default()).unwrap();
    assert!(own.data_dir.value.as_ref().unwrap().ends_with("airlock"));
    assert_eq!(own.data_dir.origin, Origin::Default);
}

#[test]
fn all_faults_of_a_file_are_told_with_lines_and_hints() {
    let faults = read(
        r#"data_dirr = "/var/lib/airlock"
[lissen]
api = "127.0.0.1:1"
[listen]
apii = "127.0.0.1:1"
api = ["here", 8080]
metrics = 9601
[tls]
min_version = 1.2
certificate = "certificate.pem"
[access]
hosts = ["https://epr.site"]
networks = ["10.0.0.0/40"]
[control]
role = "root"
roles = { alice = "king" }
[log]
colour = "blue"
[cache]
search = "soon"
"#,
    )
    .unwrap_err();
    insta::assert_snapshot!(faults.join("\n"), @r#"
    airlock.toml:1: data_dirr: no such key (did you mean data_dir?)
    airlock.toml:2: lissen: no such section (did you mean [listen]?)
    airlock.toml:5: listen.apii: no such key (did you mean listen.api?)
    airlock.toml:6: listen.api: a string is needed here (write it in double quotes: "8080")
    airlock.toml:7: listen.metrics: a string is needed here (write it in double quotes: "9601")
    airlock.toml:9: tls.min_version: a string is needed here (write it in double quotes: "1.2")
    airlock.toml:10: tls.certificate: tls.key is missing: a certificate and its key go together (set tls.key too, or neither)
    airlock.toml:12: access.hosts: "https://epr.site" is no host name (write the name alone, as in "epr.site": no scheme, no port, no path)
    airlock.toml:13: access.networks: "10.0.0.0/40" is no network (write 10.0.0.0/8, fd00::/8 or a single address)
    airlock.toml:15: control.role: "root" is none of its values (one of viewer, publisher, approver, admin)
    airlock.toml:16: control.roles: alice: "king" is none of its values (one of viewer, publisher, approver, admin)
    airlock.toml:18: log.colour: no such key (`airlock config show` lists all keys)
    airlock.toml:20: cache.search: "soon" is no duration (write 30s, 10m or 1h30m)
    "#);
}

#[test]
fn a_file_that_is_no_toml_is_told_by_line() {
    insta::assert_snapshot!(read("[listen\napi = \"x\"\n").unwrap_err().join("\n"), @"airlock.toml:1: unclosed table, expected `]`");
    insta::assert_snapshot!(read("api = [\n").unwrap_err().join("\n"), @"airlock.toml:1: unclosed array, expected `]`");
    let twice = "[log]\nlevel = \"info\"\nlevel = \"warn\"\n";
    insta::assert_snapshot!(read(twice).unwrap_err().join("\n"), @"airlock.toml:3: duplicate key");
    let absent = check_file(Path::new("/nowhere/airlock.toml")).unwrap_err();
    assert!(absent.problems[0].problem.starts_with("cannot be read"));
}

#[test]
fn what_a_variable_overrides_is_looked_at_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("airlock.toml");
    fs::write(&file, "[log]\nlevel = \"loud\"\n").unwrap();
    let environment = environment(&[("AIRLOCK_LOG_LEVEL", "debug")]);
    let error = Config::load_from(Some(file), &Flags::default(), &environment).unwrap_err();
    assert_eq!(error.problems.len(), 1);
}

#[test]
fn a_variable_that_cannot_be_used_is_named() {
    let environment = environment(&[
        ("AIRLOCK_CONTROL_ROLES", "alice"),
        ("AIRLOCK_LISTEN_API", "8080"),
    ]);
    let error = Config::load_from(None, &Flags::default(), &environment).unwrap_err();
    let told: Vec<_> = error.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "AIRLOCK_CONTROL_ROLES: control.roles: \"alice\" is not NAME=VALUE",
            "AIRLOCK_LISTEN_API: listen.api: \"8080\" is no address with a port",
        ]
    );
}

#[test]
fn a_misspelt_variable_is_noted_and_a_foreign_one_is_not() {
    let environment = environment(&[
        ("AIRLOCK_LISTEN_APPI", "127.0.0.1:1"),
        ("AIRLOCK_SHARED", "/data"),
        ("AIRLOCK_TREASURE", "island"),
    ]);
    let config = Config::load_from(None, &Flags::default(), &environment).unwrap();
    assert_eq!(
        config.notes,
        ["AIRLOCK_LISTEN_APPI is no setting; did you mean AIRLOCK_LISTEN_API?"]
    );
}

#[test]
fn paths_in_the_file_are_relative_to_it() {
    let config = read("[tls]\ncertificate = \"tls/c.pem\"\nkey = \"/k.pem\"\n").unwrap();
    let file = config.file.unwrap();
    let beside = file.parent().unwrap().join("tls/c.pem");
    assert_eq!(config.tls.certificate.value, Some(beside));
    assert_eq!(config.tls.key.value, Some("/k.pem".into()));
}

#[test]
fn the_table_says_the_defaults_that_are_taken() {
    let config = Config::load_from(None, &Flags::default(), &Environment::default()).unwrap();
    let defaults = keys::KEYS.iter().filter(|key| !key.default.is_empty());
    let said: Environment = defaults
        .map(|key| (key.variable(), key.default.to_owned()))
        .collect();
    let said = Config::load_from(None, &Flags::default(), &said).unwrap();
    assert_eq!(said.listen.api.value, config.listen.api.value);
    assert_eq!(said.tls.min_version.value, config.tls.min_version.value);
    assert_eq!(said.control.role.value, config.control.role.value);
    assert_eq!(said.log.level.value, config.log.level.value);
    assert_eq!(said.log.format.value, config.log.format.value);
    let told = config.shown().iter().filter(|shown| shown.value.is_some());
    let told: Vec<_> = told.map(|shown| shown.key.name).collect();
    let expected = "data_dir listen.api tls.min_version control.role admin.enabled admin.idle_minutes admin.session_hours \
                    admin.failures admin.password_length log.level log.format";
    assert_eq!(told.join(" "), expected);
}

#[test]
fn addresses_are_taken_as_the_reference_takes_them() {
    let one = |text: &str| values::tcp_address(&Value::Text(text.to_owned()));
    for (text, shown) in [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        (":8080", ":8080"),
        ("[::]:8080", "[::]:8080"),
        ("localhost:8080", "localhost:8080"),
        ("airlock.site:443", "airlock.site:443"),
    ] {
        assert_eq!(one(text).unwrap().to_string(), shown);
    }
    for text in [
        "8080",
        "::1:8080",
        "[::1]",
        "[epr]:1",
        "a b:1",
        "h:70000",
        "http://h:1",
        ":",
    ] {
        assert!(one(text).is_err(), "{text}");
    }
    let every = one(":0").unwrap().resolve().unwrap();
    assert!(every.iter().all(|address| address.ip().is_unspecified()));
    let local = one("localhost:1").unwrap().resolve().unwrap();
    assert!(local[0].is_ipv4() && local[0].ip().is_loopback());
}

#[test]
fn the_variables_of_the_reference_are_understood() {
    let config = Config::load_from(
        None,
        &Flags::default(),
        &environment(&[
            ("EPR_ADDRESS", "0.0.0.0:8080"),
            ("EPR_METRICS_ADDRESS", ":9000"),
            ("EPR_TLS_CERT", "/etc/tls.crt"),
            ("EPR_TLS_KEY", "/etc/tls.key"),
            ("EPR_TLS_MIN_VERSION", "1.3"),
            ("EPR_LOG_LEVEL", "WARN"),
            ("EPR_LOG_TYPE", "dev"),
        ]),
    )
    .unwrap();
    assert_eq!(config.notes, [""; 0]);
    let set = config
        .shown()
        .iter()
        .filter(|shown| shown.origin != Origin::Default);
    let set: Vec<_> = set
        .map(|shown| {
            let value = shown.value.as_ref().unwrap();
            format!("{} = {value} ({})", shown.key.name, shown.origin)
        })
        .collect();
    insta::assert_snapshot!(set.join("\n"), @r"
    listen.api = 0.0.0.0:8080 (EPR_ADDRESS)
    listen.metrics = :9000 (EPR_METRICS_ADDRESS)
    tls.certificate = /etc/tls.crt (EPR_TLS_CERT)
    tls.key = /etc/tls.key (EPR_TLS_KEY)
    tls.min_version = 1.3 (EPR_TLS_MIN_VERSION)
    log.level = warn (EPR_LOG_LEVEL)
    log.format = text (EPR_LOG_TYPE)
    ");
    assert_eq!(config.log.level.value, LogLevel::Warn);
    assert_eq!(config.log.format.value, LogFormat::Text);
    assert_eq!(config.tls.min_version.value, TlsVersion::V1_3);
}

#[test]
fn our_own_variable_wins_over_the_references_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("airlock.toml");
    fs::write(&file, "[log]\nlevel = \"trace\"\nformat = \"ecs\"\n").unwrap();
    let environment = environment(&[
        ("AIRLOCK_LOG_LEVEL", "debug"),
        ("EPR_LOG_LEVEL", "fatal"),
        ("EPR_LOG_TYPE", "dev"),
    ]);
    let config = Config::load_from(Some(file), &Flags::default(), &environment).unwrap();
    assert_eq!(config.log.level.value, LogLevel::Debug);
    assert_eq!(config.log.format.origin.to_string(), "EPR_LOG_TYPE");
}

#[test]
fn what_means_nothing_here_is_taken_and_told() {
    let config = Config::load_from(
        None,
        &Flags::default(),
        &environment(&[
            ("EPR_TLS_MIN_VERSION", "1.1"),
            ("EPR_FEATURE_PROXY_MODE", "true"),
            ("EPR_PROXY_TO", "https://epr.elastic.co"),
            ("EPR_ADRESS", "0.0.0.0:8080"),
            ("EPR_TREASURE", ""),
        ]),
    )
    .unwrap();
    insta::assert_snapshot!(config.notes.join("\n"), @r"
    EPR_TLS_MIN_VERSION: TLS 1.1 is not spoken here, 1.2 and 1.3 are
    of no meaning here: EPR_FEATURE_PROXY_MODE, EPR_PROXY_TO; packages come in by `airlock import`
    EPR_ADRESS is no variable of the reference registry; did you mean EPR_ADDRESS?
    ");
    assert_eq!(config.tls.min_version.value, TlsVersion::V1_2);
}

#[test]
fn cache_times_come_from_the_references_file_and_ours_wins() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("config.yml");
    fs::write(
        &theirs,
        "package_paths:\n  - /packages # here: all\n\ncache_time.index: 5s\ncache_time.search: \"1h30m\"\ncache_time:\n  catch_all: 0\n#cache_time.categories: 1s\n",
    )
    .unwrap();
    let ours = folder.path().join("airlock.toml");
    fs::write(&ours, "[cache]\nindex = \"20s\"\n").unwrap();
    let named = environment(&[("EPR_CONFIG", theirs.to_str().unwrap())]);
    let config = Config::load_from(Some(ours), &Flags::default(), &named).unwrap();
    let cache = &config.cache;
    assert_eq!(cache.index_seconds.value, Some(20));
    assert_eq!(cache.search_seconds.value, Some(5400));
    assert_eq!(cache.categories_seconds.value, None);
    assert_eq!(cache.catch_all_seconds.value, Some(0));
    let origin = cache.catch_all_seconds.origin.to_string();
    assert_eq!(origin, format!("{}:7", theirs.display()));
    assert_eq!(config.notes.len(), 1);
    assert!(
        config.notes[0].contains("config.yml: package_paths;"),
        "{:?}",
        config.notes
    );

    fs::write(&theirs, "cache_time.search: soon\n").unwrap();
    let error = Config::load_from(None, &Flags::default(), &named).unwrap_err();
    assert_eq!(error.problems[0].key, "cache.search");
    fs::remove_file(&theirs).unwrap();
    assert!(Config::load_from(None, &Flags::default(), &named).is_err());
}

#[test]
fn networks_are_exact_and_those_of_mapped_addresses_are_of_ipv4() {
    let one = |text: &str| values::networks(&Value::Text(text.to_owned()));
    for (text, read) in [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("fd00::/8", "fd00::/8"),
        ("::1", "::1/128"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ] {
        assert_eq!(one(text).unwrap()[0].to_string(), read, "{text}");
    }
    for text in [
        "10.1.2.3/8",
        "10.0.0.0/33",
        "10.0.0",
        "localhost",
        "",
        "fe80::1%eth0",
    ] {
        assert!(one(text).is_err(), "{text}");
    }
}

#[test]
fn a_host_is_a_name_or_an_address_alone() {
    let one = |text: &str| values::host_names(&Value::Text(text.to_owned()));
    assert_eq!(one("EPR.Site.").unwrap()[0].as_str(), "epr.site");
    assert_eq!(one("[::1]").unwrap()[0].as_str(), "::1");
    for text in [
        "",
        "epr.site:8080",
        "http://epr.site",
        "a b",
        "epr.site/d",
        "*.site",
    ] {
        assert!(one(text).is_err(), "{text}");
    }
}

const SAMPLE: &str = include_str!("../../packaging/airlock.toml");
const TABLE: &str = include_str!("../../docs/configuration.md");

/// Returns the sample with every key said, and the keys that were commented out in it.
fn uncommented() -> (String, Vec<String>) {
    let mut section = String::new();
    let mut commented = Vec::new();
    let lines = SAMPLE.lines().map(|line| {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        }
        // A key follows the "#" at once, prose after a space.
        let key = line
            .strip_prefix('#')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        if let Some((name, _)) = key.and_then(|rest| rest.split_once(" = ")) {
            commented.push(format!("{section}{name}"));
        }
        key.unwrap_or(line)
    });
    (lines.collect::<Vec<_>>().join("\n"), commented)
}

#[test]
fn the_sample_as_it_is_says_only_where_the_store_is() {
    let config = read(SAMPLE).unwrap();
    let set = config
        .shown()
        .iter()
        .filter(|shown| shown.origin != Origin::Default);
    let set: Vec<_> = set.map(|shown| shown.key.name).collect();
    assert_eq!(set, ["data_dir"]);
    assert_eq!(config.data_dir.value, Some("/var/lib/airlock".into()));
}

#[test]
fn the_sample_has_every_key_with_its_default_or_what_could_be_one() {
    let (text, mut commented) = uncommented();
    let config = read(&text).unwrap();
    for shown in config.shown() {
        assert_ne!(
            shown.origin,
            Origin::Default,
            "{} is not in the sample",
            shown.key.name
        );
        let value = shown.value.as_ref().unwrap().to_string();
        if !shown.key.default.is_empty() {
            assert_eq!(value, shown.key.default, "{}", shown.key.name);
        }
    }
    commented.push("data_dir".to_owned());
    assert_eq!(commented.len(), keys::KEYS.len());
}

#[test]
fn every_key_is_in_the_documentation_with_all_its_names() {
    for key in &keys::KEYS {
        let variable = key.variable();
        let row = format!("| `{}` | `{variable}` |", key.name);
        let row = TABLE.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("{} has no row", key.name));
        for name in [key.flag, key.reference].into_iter().flatten() {
            assert!(row.contains(&format!("`{name}`")), "{name} in {row}");
        }
        if !key.default.is_empty() {
            assert!(
                row.contains(&format!("| `{}` |", key.default)),
                "default of {row}"
            );
        }
    }
    let rows = TABLE
        .lines()
        .filter(|line| line.contains("| `AIRLOCK_"))
        .count();
    assert_eq!(rows, keys::KEYS.len());
}

#[test]
fn every_key_can_be_said_by_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("airlock.toml");
    let (text, _) = uncommented();
    fs::write(&file, text).unwrap();
    let by_file = check_file(&file).unwrap();
    let said: Environment = by_file
        .shown()
        .iter()
        .map(|shown| {
            (
                shown.key.variable(),
                shown.value.as_ref().unwrap().to_string(),
            )
        })
        .collect();
    let by_variable = Config::load_from(None, &Flags::default(), &said).unwrap();
    for (one, other) in by_file.shown().iter().zip(by_variable.shown()) {
        assert_eq!(
            one.value.as_ref().unwrap().to_string(),
            other.value.as_ref().unwrap().to_string()
        );
        assert_eq!(other.origin, Origin::Variable(one.key.variable()));
    }
}

#[test]
fn no_text_of_a_file_is_too_much() {
    for text in [
        "[[listen]]\n",
        "a = {",
        "listen = 1\n",
        "[listen.api]\n",
        "[tls.key.x]\n",
        "\u{0}",
        "= 1",
        "[log]\nlevel = []\n",
        "x.y.z = 1\n",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
    let deep = format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&deep).is_err());
    assert!(read(&"#".repeat(2 << 20)).is_err());
    assert!(read("").is_ok());
}
