//! What a package holds beside the program, and the lines for Kibana.

use std::fs;

use crate::Site;

/// Returns all that a command prints, to the byte.
fn said(site: &Site, args: &[&str]) -> String {
    let output = site.command(args).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[test]
fn every_command_has_a_man_page_and_shells_complete_it() {
    let site = Site::new();
    let folder = site.path("man");
    fs::create_dir(&folder).unwrap();
    let told = said(&site, &["man", folder.to_str().unwrap()]);
    assert_eq!(told, "");
    let help = said(&site, &["--help"]);
    let commands = help.split("Commands:").nth(1).unwrap();
    let commands = commands.split("Options:").next().unwrap();
    // What goes on in the next line of a description is indented further.
    let names = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<_> = names
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 20, "{help}");
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&site, &["completions", shell]);
        for name in &names {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
    for name in names {
        let page = fs::read_to_string(folder.join(format!("airlock-{name}.1")));
        assert!(page.unwrap().contains(".TH"), "{name}");
    }
    assert!(folder.join("airlock.1").exists() && folder.join("airlock-plans-list.1").exists());
    assert!(!site.data().exists(), "a store was made");
}

#[test]
fn a_folder_that_is_not_there_takes_no_man_pages() {
    let site = Site::new();
    let folder = site.path("man");
    let told = said(&site, &["man", folder.to_str().unwrap()]);
    assert!(told.contains("Error: cannot write to"), "{told}");
    assert!(told.contains("airlock man FOLDER"), "{told}");
    assert!(!folder.exists());
}

#[test]
fn the_licences_of_what_is_built_in_are_told() {
    let site = Site::new();
    let text = said(&site, &["licenses"]);
    for part in [
        "SQLite",
        "Apache License",
        "without limitation the rights",
        "LGPL-2.1",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&said(&site, &["licences", "--json"])).unwrap();
    let components = json["components"].as_array().unwrap();
    assert!(components.iter().any(|it| it["name"] == "rusqlite"));
}

#[test]
fn kibana_is_told_line_by_line_and_file_by_file() {
    let site = Site::new();
    let ca = site.source(
        "ca.pem",
        "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
    );
    let ask = |more: &[&str]| {
        let mut args = vec![
            "kibana-config",
            "--kibana",
            "9.1.0",
            "--url",
            "https://epr.site:8443/d/prod",
        ];
        args.extend(more);
        said(&site, &args)
    };
    let yml = "xpack.fleet.registryUrl: \"https://epr.site:8443/d/prod\"\nxpack.fleet.isAirGapped: true\n";
    assert_eq!(ask(&[]), format!("# kibana.yml of Kibana 9.1.0\n{yml}"));
    assert_eq!(ask(&["--form", "yml", "--quiet"]), yml);
    let drop_in = "[Service]\nEnvironment=NODE_EXTRA_CA_CERTS=/etc/kibana/airlock-ca.pem\n";
    assert_eq!(ask(&["--ca", &ca, "--form", "systemd"]), drop_in);
    let all = ask(&["--ca", &ca]);
    for form in ["systemd", "container", "eck"] {
        let file = ask(&["--ca", &ca, "--form", form]);
        assert!(file.contains("NODE_EXTRA_CA_CERTS"), "{form}");
        assert!(all.contains(&file), "{form}");
    }
    let json: serde_json::Value = serde_json::from_str(&ask(&["--json"])).unwrap();
    assert_eq!(json["settings"][1]["key"], "xpack.fleet.isAirGapped");
    assert_eq!(json["settings"][1]["value"], true);
}

#[test]
fn what_kibana_could_not_use_or_must_not_have_is_refused() {
    let site = Site::new();
    let key = site.source(
        "key.pem",
        "-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n",
    );
    let der = site.source("ca.der", [0x30, 0x82, 0x01, 0x0a]);
    let url = "https://epr.site";
    for (url, ca, why) in [
        (url, Some(key.as_str()), "holds a private key"),
        (url, Some(der.as_str()), "holds no certificate as PEM"),
        (url, Some("/no/such.pem"), "cannot read /no/such.pem"),
        ("http://epr.site", None, "is of no use"),
        ("epr.site", None, "is no address of a registry"),
    ] {
        let good = site.source("ca.pem", "-----BEGIN CERTIFICATE-----\n");
        let ca = ca.unwrap_or(&good);
        let args = [
            "kibana-config",
            "--kibana",
            "9.1.0",
            "--url",
            url,
            "--ca",
            ca,
        ];
        let told = said(&site, &args);
        assert!(told.contains("Error: ") && told.contains(why), "{told}");
        assert!(!told.contains("xpack"), "{told}");
    }
    let told = said(
        &site,
        &[
            "kibana-config",
            "--kibana",
            "9.1.0",
            "--url",
            url,
            "--form",
            "systemd",
        ],
    );
    assert!(
        told.contains("without a CA there is nothing to tell systemd"),
        "{told}"
    );
}
