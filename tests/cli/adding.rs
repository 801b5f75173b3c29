//! Packages of one's own and patched ones: what is taken, and what is said of the others.

use serde_json::Value;

use crate::Site;
use crate::archives::{Zip, zip};
use crate::server::Server;
use crate::signer::Signer;
use crate::trees::{Tree, manifest, release};

fn package(name: &str, version: &str) -> Zip {
    zip()
        .deflated(
            format!("{name}-{version}/manifest.yml"),
            manifest(name, version),
        )
        .deflated(format!("{name}-{version}/docs/README.md"), "# x\n")
}

fn counts(site: &Site) -> (usize, Value) {
    let json = |args: &[&str]| -> Value {
        let said = site.run(args);
        serde_json::from_str(said.strip_prefix("exit 0\n").unwrap()).unwrap()
    };
    let history = json(&["history", "--json", "--limit", "1000"]);
    let mut sizes = json(&["sizes", "--json"]);
    // Pages that were needed for a while stay free.
    for volatile in ["file_bytes", "free_bytes"] {
        sizes[volatile] = Value::Null;
    }
    (history["change_sets"].as_array().unwrap().len(), sizes)
}

fn site_with_8_5_0() -> Site {
    let site = Site::new();
    let source = site.source("8.5.0.tar", release("8.5.0").tar().bytes());
    site.run(&["import", &source]);
    site
}

#[test]
fn a_package_goes_into_local_with_its_signature_and_is_served_over_a_release() {
    let site = site_with_8_5_0();
    let bytes = package("buoy", "1.0.0").bytes();
    let buoy = site.source("buoy-1.0.0.zip", &bytes);
    site.source("buoy-1.0.0.zip.sig", Signer::new().sign(&bytes));
    insta::assert_snapshot!(site.run(&["add", &buoy, "--dry-run"]), @r"
    exit 0
    This would make branch local and add buoy 1.0.0 to it.
    ");
    insta::assert_snapshot!(site.run(&["add", &buoy]), @r"
    exit 0
    Change set 2: buoy 1.0.0 is in local.
    ");
    insta::assert_snapshot!(site.run(&["add", &buoy]), @r"
    exit 0
    Nothing changed: local has buoy 1.0.0 already.
    ");
    site.run(&[
        "distribution",
        "create",
        "prod",
        "--from",
        "8.5.0",
        "--with",
        "local",
    ]);

    let server = Server::start(&site);
    let dock = site.source("dock-1.0.0.zip", package("dock", "1.0.0").bytes());
    insta::assert_snapshot!(site.run(&["add", &dock, "--to", "mine"]), @r"
    exit 0
    Change set 4: dock 1.0.0 is in mine.
    ");
    let found = server.get("/d/prod/search?all=true").packages();
    assert_eq!(found, ["apache-1.0.0", "buoy-1.0.0", "nginx-1.5.0"]);
    assert_eq!(server.get("/d/mine/search").packages(), ["dock-1.0.0"]);
    assert!(server.get("/d/prod/epr/buoy/buoy-1.0.0.zip").body == bytes);
    let signatures = site.run(&["signatures", "list", "local", "--all"]);
    assert!(signatures.contains("buoy 1.0.0"), "{signatures}");
}

#[test]
fn all_that_kibana_would_refuse_is_said_at_once_and_nothing_is_stored() {
    let site = site_with_8_5_0();
    let before = counts(&site);
    let bad = zip()
        .deflated(
            "folder/manifest.yml",
            "name: buoy\nversion: 1.0.0\ntitle: Buoy\npolicy_templates: [{name: a}]\n",
        )
        .deflated(
            "folder/data_stream/log/manifest.yml",
            "title: Log\nstreams: [{input: logfile}]\n",
        )
        .deflated("folder/data_stream/metric/fields/base.yml", "");
    let bad = site.source("buoy-1.0.0.zip", bad.bytes());
    insta::assert_snapshot!(site.run(&["add", &bad]), @r"
    exit 1
    manifest.yml description: it is missing, and Kibana requires it
    manifest.yml format_version: it is missing, and Kibana requires it
    manifest.yml owner: it is missing, and Kibana requires it
    manifest.yml policy_templates[0].title: it is missing, and Kibana requires it
    manifest.yml policy_templates[0].description: it is missing, and Kibana requires it
    manifest.yml: it lies in the folder folder, and has to lie in buoy-1.0.0
    data_stream/log/manifest.yml type: it is missing, and Kibana requires it
    data_stream/log/manifest.yml streams[0].title: it is missing, and Kibana requires it
    data_stream/metric/manifest.yml: it is missing, and Kibana requires it
    buoy 1.0.0 is not taken; nothing is stored.
    ");
    let no_zip = site.source("dock-1.0.0.zip", "no zip");
    insta::assert_snapshot!(site.run(&["add", &no_zip]), @r#"
    exit 1
    Error: cannot read the source
    Caused by: not an archive: the source begins with "no zip"
    Hint: `airlock import` takes archives and folders of packages, packages as zips, and images as `docker save`, `podman save` and skopeo write them; of a file that was split name all pieces in their order, as in `airlock import image.tar.*`
    "#);
    let folder = site.path("dock-2.0.0");
    std::fs::create_dir(&folder).unwrap();
    let said = site.run(&["add", crate::text(&folder)]);
    assert!(
        said.contains("is a folder, and no zip\nHint: build the package"),
        "{said}"
    );
    // What only the registry refuses is found by the import.
    let constraint = manifest("boat", "1.0.0").replace("^7.9.0 || ^8.0.0", "not a version");
    let boat = zip()
        .deflated("boat-1.0.0/manifest.yml", constraint)
        .deflated("boat-1.0.0/docs/README.md", "# x\n");
    let boat = site.source("boat-1.0.0.zip", boat.bytes());
    let said = site.run(&["add", &boat]);
    assert!(
        said.starts_with("exit 1\n") && said.contains("nothing is stored"),
        "{said}"
    );
    assert_eq!(counts(&site), before);
}

#[test]
fn a_looked_at_package_leaves_nothing_behind() {
    let site = site_with_8_5_0();
    let before = counts(&site);
    let buoy = site.source("buoy-1.0.0.zip", package("buoy", "1.0.0").bytes());
    site.run(&["add", &buoy, "--dry-run"]);
    assert_eq!(counts(&site), before);
}

#[test]
fn a_prerelease_of_what_is_published_is_refused_with_the_next_free_version() {
    let site = site_with_8_5_0();
    let second = Tree::default().package("packages/nginx/1.5.3");
    let second = site.source("mine.tar", second.tar().bytes());
    site.run(&["import", &second, "--branch", "mine"]);
    let before = counts(&site);
    let patched = site.source(
        "nginx-1.5.0-patched.zip",
        package("nginx", "1.5.0-patched").bytes(),
    );
    insta::assert_snapshot!(site.run(&["add", &patched]), @r"
    exit 1
    nginx 1.5.0-patched is a prerelease of a package that 8.5.0 publishes: Kibana does not see it unless it asks for prereleases, and it comes before the version it patches.
    The next free version is 1.5.4. Build the package as nginx-1.5.4.zip, then keep it there:
      airlock add nginx-1.5.4.zip
      airlock hold default nginx --at 1.5.4
    Or take it as it is with --prerelease.
    nginx 1.5.0-patched is not taken; nothing is stored.
    ");
    assert_eq!(counts(&site), before);

    let said = site.run(&["add", &patched, "--prerelease"]);
    assert!(said.starts_with("exit 0\n"), "{said}");
    // One that nothing here publishes is its maker's own affair.
    let own = site.source("buoy-1.0.0-beta.zip", package("buoy", "1.0.0-beta").bytes());
    let said = site.run(&["add", &own]);
    assert!(said.starts_with("exit 0\n"), "{said}");
}

#[test]
fn other_content_for_a_version_that_is_there_needs_to_be_asked_for() {
    let site = Site::new();
    let first = site.source("buoy-1.0.0.zip", package("buoy", "1.0.0").bytes());
    site.run(&["add", &first]);
    let before = counts(&site);
    let other = package("buoy", "1.0.0").deflated("buoy-1.0.0/docs/more.md", "more");
    let other = site.source("buoy-1.0.0.zip", other.bytes());
    insta::assert_snapshot!(site.run(&["add", &other]), @r"
    exit 1
    buoy 1.0.0: it is in local with other content; --overwrite replaces it
    buoy 1.0.0 is not taken; nothing is stored.
    ");
    assert_eq!(counts(&site), before);
    insta::assert_snapshot!(site.run(&["add", &other, "--overwrite"]), @r"
    exit 0
    Change set 2: buoy 1.0.0 is in local.
    ");
}
