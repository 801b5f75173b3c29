//! A release that comes again with other content, from the plan to the address it is served at.

use crate::Site;
use crate::server::Server;
use crate::trees::{Tree, release};

fn source(site: &Site, name: &str, tree: &Tree) -> String {
    site.source(name, tree.tar().bytes())
}

#[test]
fn a_release_with_other_content_is_served_beside_the_first() {
    let site = Site::new();
    let server = Server::start(&site);
    let first = source(&site, "first.tar", &release("8.5.0"));
    site.run(&["import", &first]);
    let mut tree = release("8.5.0")
        .package("package-storage-8.5.0/packages/zeek/1.0.0")
        .package("package-storage-8.5.0/packages/zeek/1.1.0");
    tree.0.retain(|(path, _)| !path.contains("/apache/"));
    let readme = tree
        .0
        .iter_mut()
        .find(|(path, _)| path.ends_with("nginx/1.5.0/docs/README.md"));
    readme.unwrap().1 = b"other".to_vec();
    let second = source(&site, "second.tar", &tree);
    let looked_at = site.run(&["import", &second, "--dry-run"]);
    assert!(
        looked_at.contains("Plan 2 makes release 8.5.0+[TODAY]"),
        "{looked_at}"
    );
    insta::assert_snapshot!(site.run(&["import", &second]), @r"
    exit 0
    Plan 3 makes release 8.5.0+[TODAY] from second.tar (10.24 kB, registry 1.15.0)
            3 added
            1 file that belongs to no package ignored
    It is the next edition of 8.5.0: 8.5.0 is here with other content, and stays as it is. Against 8.5.0:
            2 new
      + zeek 1.0.0
      + zeek 1.1.0
            1 with other files
      ~ nginx 1.5.0
            1 no longer there
      - apache 1.0.0
    Change set 2: 3 added of 3 package versions, served at /d/8.5.0+[TODAY]/; `airlock activate 8.5.0+[TODAY]` puts it at /
    ");
    insta::assert_snapshot!(site.run(&["import", &second]), @r"
    exit 0
    Nothing changed: 8.5.0+[TODAY] has all of second.tar already.
    ");
    insta::assert_snapshot!(site.run(&["import", &second, "--release", "8.5.0"]), @r"
    exit 0
    Nothing changed: 8.5.0+[TODAY] has all of second.tar already.
    ");
    insta::assert_snapshot!(site.run(&["import", &first]), @r"
    exit 0
    Nothing changed: 8.5.0 has all of first.tar already.
    ");
    let third = source(
        &site,
        "third.tar",
        &tree.package("package-storage-8.5.0/packages/zeek/1.2.0"),
    );
    insta::assert_snapshot!(site.run(&["import", &third]), @r"
    exit 0
    Plan 4 makes release 8.5.0+[TODAY].2 from third.tar (12.29 kB, registry 1.15.0)
            4 added
            1 file that belongs to no package ignored
    It is the next edition of 8.5.0: 8.5.0+[TODAY] is here with other content, and stays as it is. Against 8.5.0+[TODAY]:
            1 new
      + zeek 1.2.0
    Change set 3: 4 added of 4 package versions, served at /d/8.5.0+[TODAY].2/; `airlock activate 8.5.0+[TODAY].2` puts it at /
    ");
    insta::assert_snapshot!(site.run(&["distribution", "list"]), @r"
    exit 0
    8.5.0 serves 8.5.0 at /d/8.5.0/ (2 versions, fingerprint 3a31448dbfd6)
    8.5.0+[TODAY] serves 8.5.0+[TODAY] at /d/8.5.0+[TODAY]/ (3 versions, fingerprint e33ee89eb647)
    8.5.0+[TODAY].2 serves 8.5.0+[TODAY].2 at /d/8.5.0+[TODAY].2/ (4 versions, fingerprint 43cdfe75e778)
    default serves 8.5.0 at / (2 versions, fingerprint 3a31448dbfd6)
    ");

    let today = &jiff::Timestamp::now().to_string()[..10];
    let packages = |path: &str| server.get(&format!("{path}search?all=true")).packages();
    assert_eq!(packages("/"), ["apache-1.0.0", "nginx-1.5.0"]);
    assert_eq!(packages("/d/8.5.0/"), ["apache-1.0.0", "nginx-1.5.0"]);
    for plus in ["+", "%2B", "%2b"] {
        let found = packages(&format!("/d/8.5.0{plus}{today}/"));
        assert_eq!(found, ["nginx-1.5.0", "zeek-1.0.0", "zeek-1.1.0"]);
        assert_eq!(packages(&format!("/d/8.5.0{plus}{today}.2/")).len(), 4);
        let readme = format!("/d/8.5.0{plus}{today}/package/nginx/1.5.0/docs/README.md");
        assert_eq!(server.get(&readme).body, b"other");
    }
    assert_eq!(
        server.get("/package/nginx/1.5.0/docs/README.md").body,
        b"# nginx\n"
    );

    let edition = format!("8.5.0+{today}");
    insta::assert_snapshot!(site.run(&["activate", &edition]), @r"
    exit 0
    Change set 4: 8.5.0+[TODAY] is served at /
    ");
    assert_eq!(
        server.get("/package/nginx/1.5.0/docs/README.md").body,
        b"other"
    );
}

#[test]
fn a_long_list_of_what_differs_is_cut_and_shown_whole_when_asked() {
    let site = Site::new();
    let first = source(&site, "first.tar", &release("8.5.0"));
    site.run(&["import", &first]);
    let more = (0..12).fold(release("8.5.0"), |tree, patch| {
        tree.package(&format!("package-storage-8.5.0/packages/zeek/1.0.{patch}"))
    });
    let more = source(&site, "more.tar", &more);
    insta::assert_snapshot!(site.run(&["import", &more, "--stage"]), @r"
    exit 0
    Plan 2 makes release 8.5.0+[TODAY] from more.tar (32.77 kB, registry 1.15.0)
           14 added
            1 file that belongs to no package ignored
    It is the next edition of 8.5.0: 8.5.0 is here with other content, and stays as it is. Against 8.5.0:
           12 new
      + zeek 1.0.0
      + zeek 1.0.1
      + zeek 1.0.2
      + zeek 1.0.3
      + zeek 1.0.4
      + zeek 1.0.5
      + zeek 1.0.6
      + zeek 1.0.7
      + zeek 1.0.8
      + zeek 1.0.9
      and 2 more: `airlock plans show` lists them
    Commit it with `airlock plans commit 2`.
    ");
    let all = site.run(&["plans", "show", "2"]);
    assert_eq!(all.matches("  + zeek").count(), 12, "{all}");
}
