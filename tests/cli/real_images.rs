//! Images that umoci built and skopeo saved, read from files and folders, alone and through a running server.
//!
//! Left out, with a line that says so, where the programs are not installed; `.ci/run` installs them.

use std::path::PathBuf;
use std::process::Command;

use airlock::crypto::Digest;

use crate::archives::{Zip, zip};
use crate::server::Server;
use crate::trees::{Tree, manifest, noise};
use crate::{Site, text};

/// Returns the zip of the smallest package, its files added by `add`.
fn package(name: &str, version: &str, add: impl Fn(Zip, String, Vec<u8>) -> Zip) -> Vec<u8> {
    let files = [
        ("docs/README.md", format!("# {name}\n").into_bytes()),
        ("img/noise.png", noise(100_000)),
        ("manifest.yml", manifest(name, version).into_bytes()),
    ];
    let files = files.into_iter();
    files
        .fold(zip(), |zip, (path, content)| {
            add(zip, format!("{name}-{version}/{path}"), content)
        })
        .bytes()
}

/// The image that is built, and where it was saved to.
struct Images {
    forms: Vec<(&'static str, PathBuf)>,
    /// What it holds, `name-version` and the zip, where that is to come back to the byte.
    offered: Vec<(&'static str, Option<Vec<u8>>)>,
}

fn run(site: &Site, program: &str, args: &[&str]) -> Option<()> {
    let output = match Command::new(program)
        .args(args)
        .current_dir(site.folder.path())
        .output()
    {
        Ok(output) => output,
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "{program} is not installed: {error}"
            );
            println!("left out: {program} cannot be run, {error}");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {said}");
    Some(())
}

/// Builds an image of four layers: a system, zips and trees, a newer zip in place of one, and a removal.
fn build(site: &Site) -> Option<Images> {
    let umoci = |args: &[&str]| run(site, "umoci", args);
    let skopeo = |args: &[&str]| run(site, "skopeo", args);
    let stored = package("nginx", "1.5.0", Zip::stored);
    let deflated = package("apache", "1.0.0", Zip::deflated);
    let replaced = package("zeek", "2.0.0", Zip::stored);
    let newer = package("zeek", "2.0.0", Zip::deflated);
    let removed = package("gone", "1.0.0", Zip::deflated);
    Tree::default()
        .file("system/passwd", "root")
        .file("zips/nginx-1.5.0.zip", &stored)
        .file("zips/apache-1.0.0.zip", &deflated)
        .file("zips/zeek-2.0.0.zip", replaced)
        .file("zips/gone-1.0.0.zip", removed)
        .file("newer/zeek-2.0.0.zip", &newer)
        .package("trees/buoy/1.1.0")
        .write(site.folder.path());
    let image = ["--image", "layout:9.2.0"];
    umoci(&["init", "--layout", "layout"])?;
    umoci(&["new", image[0], image[1]])?;
    for (from, to) in [
        ("system", "/etc"),
        ("zips", "/packages/package-storage"),
        ("trees", "/packages/production"),
    ] {
        umoci(&["insert", "--rootless", image[0], image[1], from, to])?;
    }
    let newer_zip = "newer/zeek-2.0.0.zip";
    let to = "/packages/package-storage/zeek-2.0.0.zip";
    umoci(&["insert", "--rootless", image[0], image[1], newer_zip, to])?;
    let gone = "/packages/package-storage/gone-1.0.0.zip";
    umoci(&["insert", image[0], image[1], "--whiteout", gone])?;
    let label = "BRANCH_NAME=v1.31.1";
    umoci(&["config", image[0], image[1], "--config.label", label])?;

    let name = "docker.elastic.co/package-registry/distribution:9.2.0";
    let copy = |args: &[&str], to: &str| {
        let all = [
            &["copy", "--insecure-policy"],
            args,
            &["oci:layout:9.2.0", to],
        ]
        .concat();
        skopeo(&all)
    };
    copy(&[], &format!("docker-archive:docker.tar:{name}"))?;
    copy(&[], "oci-archive:oci.tar:9.2.0")?;
    copy(
        &["--dest-compress", "--dest-compress-format", "zstd"],
        "oci:zstd:9.2.0",
    )?;
    let forms = [
        ("docker-archive", "docker.tar"),
        ("oci-archive", "oci.tar"),
        ("layout, gzip", "layout"),
        ("layout, zstd", "zstd"),
    ];
    Some(Images {
        forms: forms.map(|(form, path)| (form, site.path(path))).to_vec(),
        offered: vec![
            ("apache-1.0.0", Some(deflated)),
            ("buoy-1.1.0", None),
            ("nginx-1.5.0", Some(stored)),
            ("zeek-2.0.0", Some(newer)),
        ],
    })
}

fn is_offered(server: &Server, images: &Images, form: &str) {
    let found = server
        .get("/d/9.2.0/search?all=true&prerelease=true")
        .packages();
    let expected: Vec<_> = images.offered.iter().map(|(id, _)| *id).collect();
    assert_eq!(found, expected, "{form}");
    for (id, zip) in &images.offered {
        let name = id.split('-').next().unwrap();
        let answer = server.get(&format!("/epr/{name}/{id}.zip"));
        assert_eq!(answer.status, 200, "{form} {id}");
        if let Some(zip) = zip {
            assert_eq!(Digest::of(&answer.body), Digest::of(zip), "{form} {id}");
        }
    }
}

#[test]
fn what_umoci_built_and_skopeo_saved_is_offered_to_the_byte() {
    let built = Site::new();
    let Some(images) = build(&built) else {
        return;
    };
    for (form, path) in &images.forms {
        let release = ["--release", "9.2.0"];
        let alone = Site::new();
        let said = alone.run(&["import", text(path), release[0], release[1]]);
        assert!(
            said.contains("registry 1.31.1") && said.contains("4 added of 4 package versions"),
            "{form}: {said}"
        );
        is_offered(&Server::start(&alone), &images, form);

        let served = Site::new();
        let server = Server::start(&served);
        let said = served.run(&["import", text(path)]);
        assert!(said.contains("makes release 9.2.0"), "{form}: {said}");
        is_offered(&server, &images, form);

        let again = served.run(&["import", text(path)]);
        assert!(
            again.starts_with("exit 0\nNothing changed: 9.2.0"),
            "{again}"
        );
    }
}
