//! Container images as sources: every form they are saved in, layers over layers, and what must be refused.

use airlock::archive::{Archive, Entry, Origin};
use airlock::distribution::DistributionName;
use airlock::limits::Limits;
use airlock::store::branches;

use crate::archives::{
    Image, ImageForm, Layer, Tar, descriptor, hex, image, image_under, tar, zip, zst_of_zeros,
};
use crate::trees::{Tree, manifest};
use crate::{Ask, Place, with_causes};

/// A base system, packages above it, and a layer that changes them.
fn layers() -> [Tar; 3] {
    [
        tar()
            .directory("etc/")
            .file("etc/passwd", "root")
            .symlink("bin", "usr/bin")
            .hardlink("usr/bin/sh", "usr/bin/bash")
            .special("dev/null", b'3')
            .file("usr/lib/1.0.0/manifest.yml", "no package")
            .directory("packages/")
            .package("packages/package-storage/old/1.0.0"),
        tar()
            .directory("packages/package-storage/")
            .package("packages/package-storage/apache/1.0.0")
            .package("packages/package-storage/gone/1.0.0")
            .package("packages/package-storage/nginx/1.5.0")
            .file("packages/package-storage/index.txt", "x"),
        tar()
            .file("packages/package-storage/.wh.old", "")
            .file("packages/package-storage/gone/.wh.1.0.0", "")
            .file("packages/package-storage/nginx/1.5.0/.wh..wh..opq", "")
            .file(
                "packages/package-storage/nginx/1.5.0/docs/README.md",
                "# new\n",
            )
            .file(
                "packages/package-storage/nginx/1.5.0/manifest.yml",
                manifest("nginx", "1.5.0"),
            ),
    ]
}

fn release(form: ImageForm, layer: Layer) -> Image {
    image_under(form, layer, &layers())
        .tag("docker.elastic.co/package-registry/distribution:9.2.0-ubi")
        .label("BRANCH_NAME", "v1.31.1")
}

/// Returns the tree that [`layers`] make.
fn as_one_tree() -> Tar {
    Tree::default()
        .package("packages/apache/1.0.0")
        .file("packages/nginx/1.5.0/docs/README.md", "# new\n")
        .file(
            "packages/nginx/1.5.0/manifest.yml",
            manifest("nginx", "1.5.0"),
        )
        .tar()
}

#[test]
fn an_image_in_every_form_is_the_tree_that_its_layers_make() {
    let tree = Place::new();
    tree.import(as_one_tree().bytes(), &Ask::release("9.2.0"));
    for form in ImageForm::ALL {
        for layer in [Layer::Plain, Layer::Gzip, Layer::Zstd] {
            let place = Place::new();
            let plan = place.import(release(form, layer).bytes(), &Ask::default());
            let told = format!("{form:?} {layer:?}");
            assert_eq!(plan.added, ["apache 1.0.0", "nginx 1.5.0"], "{told}");
            assert_eq!(plan.quarantined.len(), 0, "{told}");
            assert_eq!(plan.ignored_files, 1, "{told}");
            assert_eq!(place.digests("9.2.0"), tree.digests("9.2.0"), "{told}");
            let name = DistributionName::parse("9.2.0").unwrap();
            let branch = place
                .store
                .read(|conn| branches::find(conn, &name))
                .unwrap();
            let version = branch.unwrap().settings.registry_version;
            assert_eq!(version.as_deref(), Some("1.31.1"), "{told}");
        }
    }
}

#[test]
fn the_file_under_compression_and_the_file_on_disk_are_the_same_image() {
    let bytes = release(ImageForm::Oci, Layer::Gzip).bytes();
    for layer in [Layer::Gzip, Layer::Zstd, Layer::Xz] {
        let plan = Place::new().import(layer.of(&bytes), &Ask::default());
        assert_eq!(plan.added, ["apache 1.0.0", "nginx 1.5.0"], "{layer:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    for form in ImageForm::ALL {
        let bytes = release(form, Layer::Plain).bytes();
        let path = folder.path().join("image.tar");
        std::fs::write(&path, &bytes).unwrap();
        let paths = |origin| {
            // No folder to copy it to where the file can be read from anywhere.
            let spool = match &origin {
                Origin::Path(_) => folder.path().join("missing"),
                Origin::Stream(_) => folder.path().to_owned(),
            };
            let limits = Limits::default();
            let mut archive = Archive::open(origin, &spool, Default::default(), &limits).unwrap();
            let mut paths = Vec::new();
            while let Some(entry) = archive.next().unwrap() {
                if let Entry::File(file) = entry {
                    paths.push(file.path.to_string());
                }
            }
            paths
        };
        let of_stream = paths(Origin::Stream(Box::new(std::io::Cursor::new(bytes))));
        assert_eq!(of_stream.len(), 5);
        assert_eq!(paths(Origin::Path(path)), of_stream, "{form:?}");
    }
}

#[test]
fn an_equal_layer_twice_and_a_layer_without_content_are_no_fault() {
    for form in ImageForm::ALL {
        let [_, packages, _] = layers();
        let twice = [packages.clone(), tar(), packages, tar()];
        let image = image(form, &twice).tag("x:9.2.0");
        let plan = Place::new().import(image.bytes(), &Ask::default());
        assert_eq!(plan.added.len(), 3, "{form:?}");
        assert_eq!(plan.quarantined.len(), 0, "{form:?}");
    }
}

#[test]
fn a_package_whose_files_lie_in_several_layers_is_put_aside_alone() {
    let [base, packages, _] = layers();
    let patch = tar().file(
        "packages/package-storage/gone/1.0.0/docs/README.md",
        "# x\n",
    );
    let image = image(ImageForm::Oci, &[base, packages, patch]).tag("x:9.2.0");
    let place = Place::new();
    let plan = place.import(image.bytes(), &Ask::default());
    assert_eq!(plan.added, ["apache 1.0.0", "nginx 1.5.0", "old 1.0.0"]);
    let why: Vec<_> = plan.quarantined.iter().map(|it| it.why.as_str()).collect();
    assert_eq!(why, ["its files do not lie together in the source"]);
}

#[test]
fn a_link_in_a_package_of_an_image_puts_that_package_aside_alone() {
    let layer = tar()
        .package("packages/a/1.0.0")
        .symlink("packages/a/1.0.0/x", "../../../etc/passwd")
        .package("packages/b/1.0.0")
        .hardlink("packages/b/1.0.0/x", "etc/passwd")
        .package("packages/c/1.0.0")
        .file("packages/c/1.0.0/../../etc/passwd", "x")
        .package("packages/d/1.0.0");
    for form in ImageForm::ALL {
        let image = image(form, std::slice::from_ref(&layer)).tag("x:9.2.0");
        let place = Place::new();
        let plan = place.import(image.bytes(), &Ask::default());
        assert_eq!(plan.added, ["d 1.0.0"], "{form:?}");
        assert_eq!(plan.quarantined.len(), 3, "{form:?}");
    }
}

#[test]
fn the_tag_says_where_it_goes_unless_the_operator_does() {
    let table = [
        ("x/distribution:lite-9.2.0", Ask::default(), "lite-9.2.0"),
        ("x/distribution:production", Ask::default(), "production"),
        ("9.2.0", Ask::default(), "9.2.0"),
        ("x:9.2.0", Ask::release("9.3.0"), "9.3.0"),
        ("x:latest", Ask::branch("mine"), "mine"),
    ];
    for (tag, ask, branch) in table {
        for form in ImageForm::ALL {
            let place = Place::new();
            place.import(image(form, &layers()).tag(tag).bytes(), &ask);
            assert_eq!(place.artifacts(branch).len(), 2, "{tag} {form:?}");
        }
    }
    let nameless = image(ImageForm::DockerLegacy, &layers());
    for image in [nameless.clone(), nameless.tag("x:c1836cb784f2")] {
        let place = Place::new();
        let before = place.counts();
        let error = place.stage(image.bytes(), &Ask::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the source does not say which release it is"
        );
        assert_eq!(place.counts(), before);
    }
}

#[test]
fn where_the_tag_says_nothing_a_place_is_proposed() {
    let place = Place::new();
    let ask = Ask {
        may_ask: true,
        ..Ask::default()
    };
    let image = image(ImageForm::DockerOci, &layers()).tag("x:c1836cb784f2");
    let proposal = || {
        let staged = place.stage(image.bytes(), &ask).unwrap();
        assert_eq!(staged.target, None);
        airlock::import::drop_stage(
            &place.store,
            &airlock::people::Actor::here("tester"),
            staged.stage,
        )
        .unwrap();
        staged.proposal.map(|name| name.to_string())
    };
    assert_eq!(proposal(), None);
    place.import(image.bytes(), &Ask::release("9.2.0"));
    assert_eq!(proposal().as_deref(), Some("9.2.0"), "where the last went");
    let more = [layers().as_slice(), &[tar().package("packages/zeek/1.0.0")]].concat();
    let more = crate::archives::image(ImageForm::DockerOci, &more).tag("x:9.2.0");
    place.import(more.bytes(), &Ask::default());
    assert_eq!(proposal().as_deref(), Some("9.2.0"), "not its edition");
    place.import(image.bytes(), &Ask::branch("production"));
    assert_eq!(proposal().as_deref(), Some("production"));
}

#[test]
fn of_several_images_the_one_that_is_named_is_taken() {
    for form in ImageForm::ALL {
        let saved = image(form, &layers())
            .tag("x/distribution:9.2.0")
            .tag("x/distribution:9.3.0")
            .bytes();
        let place = Place::new();
        let before = place.counts();
        let mut ask = Ask::default();
        let error = place.stage(saved.clone(), &ask).unwrap_err();
        assert_eq!(
            with_causes(&error),
            "cannot read the source: the file holds several images: x/distribution:9.2.0, x/distribution:9.3.0"
        );
        ask.image = Some("9.4.0".to_owned());
        let error = place.stage(saved.clone(), &ask).unwrap_err();
        assert_eq!(
            with_causes(&error),
            "cannot read the source: the file does not hold the image 9.4.0, but x/distribution:9.2.0, x/distribution:9.3.0"
        );
        assert_eq!(place.counts(), before, "{form:?}");
        ask.image = Some("distribution:9.3.0".to_owned());
        place.import(saved, &ask);
        assert_eq!(place.artifacts("9.3.0").len(), 2, "{form:?}");
    }
}

#[test]
fn a_layer_may_end_behind_its_last_file_and_not_in_it() {
    let [base, packages, _] = layers();
    for form in ImageForm::ALL {
        let saved = image(form, &[base.clone(), packages.clone()]).tag("x:9.2.0");
        let plan = Place::new().import(saved.without_ends().bytes(), &Ask::default());
        assert_eq!(plan.added.len(), 4, "{form:?}");
        assert_eq!(plan.quarantined.len(), 0, "{form:?}");
    }
    let saved = image(ImageForm::Oci, &[base]).without_ends().cut();
    refused(saved.bytes(), "truncated in");
}

/// Returns an image as OCI layout after `change` of its index, manifest and configuration, in which digests are made to
/// hold again from the configuration up.
fn changed(
    image: &Image,
    change: impl Fn(&mut serde_json::Value, &mut serde_json::Value, &mut serde_json::Value),
) -> Vec<u8> {
    let (index, manifest, config) = image.oci_documents();
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let (mut index, mut manifest, mut config) =
        (parsed(&index), parsed(&manifest), parsed(&config));
    change(&mut index, &mut manifest, &mut config);
    let repoint = |pointer: &mut serde_json::Value, bytes: &[u8]| {
        pointer["digest"] = format!("sha256:{}", hex(bytes)).into();
        pointer["size"] = bytes.len().into();
    };
    let config = config.to_string();
    if manifest["config"]["digest"] != "as it is" {
        repoint(&mut manifest["config"], config.as_bytes());
    }
    let manifest = manifest.to_string();
    if index["manifests"][0]["digest"] != "as it is" {
        repoint(&mut index["manifests"][0], manifest.as_bytes());
    }
    image
        .files()
        .iter()
        .filter(|(path, _)| path != "index.json")
        .fold(tar(), |tar, (path, bytes)| tar.file(path, bytes))
        .file(format!("blobs/sha256/{}", hex(config.as_bytes())), &config)
        .file(
            format!("blobs/sha256/{}", hex(manifest.as_bytes())),
            &manifest,
        )
        .file("index.json", index.to_string())
        .bytes()
}

/// Requires that a source is refused as a whole for the reason given, and that nothing of it is offered.
fn refused(source: Vec<u8>, reason: &str) {
    refused_within(Limits::default(), source, reason);
}

fn refused_within(limits: Limits, source: Vec<u8>, reason: &str) {
    let place = Place::within(limits);
    let before = place.offered();
    let error = place.stage(source, &Ask::release("9.2.0")).unwrap_err();
    let text = with_causes(&error);
    assert!(text.contains(reason), "{text:?} has {reason:?}");
    assert_eq!(place.offered(), before, "{reason}");
}

#[test]
fn an_image_whose_documents_lie_is_refused_whole() {
    let image = release(ImageForm::Oci, Layer::Gzip);
    let other = format!("sha256:{}", hex(b"other"));
    type Change =
        Box<dyn Fn(&mut serde_json::Value, &mut serde_json::Value, &mut serde_json::Value)>;
    let table: Vec<(Change, &str)> = vec![
        (
            Box::new(|_, m, _| m["layers"][0]["mediaType"] = "application/zip".into()),
            "is of the type \"application/zip\", which is not known",
        ),
        (
            Box::new(|_, m, _| m["config"]["mediaType"] = "application/json".into()),
            "the configuration sha256:",
        ),
        (
            Box::new(|i, _, _| i["manifests"][0]["mediaType"] = "text/plain".into()),
            "a manifest sha256:",
        ),
        (
            Box::new(|_, m, _| m["layers"][0]["urls"] = serde_json::json!(["https://x/y"])),
            "is not in the file but to be fetched from elsewhere, which is never done",
        ),
        (
            Box::new(|_, m, _| {
                m["layers"][1]["mediaType"] =
                    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".into();
            }),
            "to be fetched from elsewhere",
        ),
        (
            Box::new(move |_, m, _| m["layers"][1]["digest"] = other.clone().into()),
            "is missing",
        ),
        (
            Box::new(|_, m, _| m["layers"][1]["digest"] = "sha512:00".into()),
            "the digest \"sha512:00\" is not sha256:",
        ),
        (
            Box::new(|_, m, _| m["layers"][1]["digest"] = "sha256:../../x".into()),
            "is not sha256: and 64 hexadecimal digits",
        ),
        (
            Box::new(|_, m, _| m["layers"][1]["size"] = 7.into()),
            "bytes, not 7",
        ),
        (
            Box::new(|_, m, _| m["layers"][1]["size"] = (-7).into()),
            "cannot be understood",
        ),
        (
            Box::new(|_, m, _| drop(m["layers"].as_array_mut().unwrap().pop())),
            "it tells of 3 layers, the manifest of 2",
        ),
        (
            Box::new(|_, _, c| {
                c["rootfs"]["diff_ids"][2] = format!("sha256:{}", hex(b"x")).into();
            }),
            "the content of the layer",
        ),
        (
            Box::new(|_, _, c| c["rootfs"]["diff_ids"].as_array_mut().unwrap().swap(0, 1)),
            "the content of the layer",
        ),
        (
            Box::new(|_, m, _| m["layers"] = "many".into()),
            "cannot be understood",
        ),
        (
            Box::new(|i, _, _| i["manifests"] = serde_json::json!([])),
            "names no image",
        ),
    ];
    for (change, reason) in table {
        let bytes = changed(&image, |i, m, c| {
            change(i, m, c);
            // An emptied list has nothing to point with.
            if i["manifests"].as_array().is_some_and(Vec::is_empty) {
                i["manifests"] = serde_json::json!([{ "digest": "as it is", "size": 0, "annotations":
                    { "vnd.docker.reference.type": "attestation-manifest" } }]);
            }
        });
        refused(bytes, reason);
    }
    let unchanged = Place::new().import(changed(&image, |_, _, _| {}), &Ask::default());
    assert_eq!(
        unchanged.added.len(),
        2,
        "the builder changes nothing by itself"
    );
}

#[test]
fn bytes_that_are_not_those_of_their_digest_are_refused_whole() {
    for form in ImageForm::ALL {
        for number in 0..3 {
            let image = release(form, Layer::Plain);
            let name = image.layer(number);
            let mut files = image.files();
            let mut blobs = files
                .iter_mut()
                .filter(|(_, bytes)| hex(bytes) == name)
                .peekable();
            assert!(blobs.peek().is_some());
            for (_, bytes) in blobs {
                let word = b"About";
                let at = bytes.windows(word.len()).position(|found| found == word);
                bytes[at.unwrap()] = b'B';
            }
            let source =
                files
                    .iter()
                    .fold(tar(), |tar, (path, bytes)| match path.strip_suffix('@') {
                        Some(link) => tar.symlink(link, std::str::from_utf8(bytes).unwrap()),
                        None => tar.file(path, bytes),
                    });
            refused(source.bytes(), "has the digest");
        }
    }
    // A document of another digest than the one that points to it.
    let image = release(ImageForm::Oci, Layer::Plain);
    let (_, manifest, config) = image.oci_documents();
    for document in [manifest, config] {
        let source = image.files().iter().fold(tar(), |tar, (path, bytes)| {
            let is_it = *bytes == document.as_bytes();
            tar.file(
                path,
                if is_it {
                    [bytes, &b" "[..]].concat()
                } else {
                    bytes.clone()
                },
            )
        });
        refused(source.bytes(), "has the digest");
    }
}

#[test]
fn a_file_that_is_no_whole_image_is_refused() {
    let gone = |what: &str| {
        let image = release(ImageForm::DockerLegacy, Layer::Plain);
        image
            .files()
            .iter()
            .filter(|(path, _)| !path.ends_with(what))
            .fold(tar(), |tar, (path, bytes)| tar.file(path, bytes))
            .bytes()
    };
    refused(
        gone("manifest.json"),
        "neither index.json nor manifest.json",
    );
    refused(gone("layer.tar"), "is missing");
    refused(gone(".json"), "neither index.json nor manifest.json");
    let document = |text: &str| tar().file("manifest.json", text).bytes();
    refused(document("[]"), "names no image");
    refused(document("{"), "manifest.json cannot be understood");
    refused(
        document(&format!("[{{\"X\":{}", "[".repeat(100_000))),
        "manifest.json cannot be understood",
    );
    refused(document(&" ".repeat((4 << 20) + 1)), "more than 4194304");
    refused(
        document(r#"[{"Config":"../../etc/passwd","Layers":[]}]"#),
        "../../etc/passwd is missing",
    );
    let many = vec!["x"; 100_000];
    let config = r#"{"rootfs":{"diff_ids":[]}}"#;
    let manifest = serde_json::json!([{ "Config": "c", "Layers": many }]).to_string();
    let source = tar().file("manifest.json", manifest).file("c", config);
    refused(source.bytes(), "more than 1000 entries");
}

#[test]
fn lists_of_images_are_followed_so_far_and_linux_amd64_is_taken() {
    let index_type = "application/vnd.oci.image.index.v1+json";
    let wanted = release(ImageForm::Oci, Layer::Plain);
    let other = image(ImageForm::Oci, &[tar().package("packages/arm/1.0.0")]);
    let pointer = |image: &Image, architecture: &str| {
        let (index, ..) = image.oci_documents();
        let mut pointer =
            serde_json::from_str::<serde_json::Value>(&index).unwrap()["manifests"][0].clone();
        pointer["platform"] = serde_json::json!({ "os": "linux", "architecture": architecture });
        pointer
    };
    let nested = |depth: usize, manifests: serde_json::Value| {
        let mut source = tar();
        let files = wanted.files().into_iter().chain(other.files());
        for (path, bytes) in files.filter(|(path, _)| path.starts_with("blobs")) {
            source = source.file(path, bytes);
        }
        let mut index = serde_json::json!({ "manifests": manifests }).to_string();
        for _ in 0..depth {
            source = source.file(format!("blobs/sha256/{}", hex(index.as_bytes())), &index);
            let mut next = descriptor(index_type, index.as_bytes());
            next["annotations"] =
                serde_json::json!({ "org.opencontainers.image.ref.name": "x:9.2.0" });
            index = serde_json::json!({ "manifests": [next] }).to_string();
        }
        source.file("index.json", index).bytes()
    };
    let mut attestation = pointer(&other, "unknown");
    attestation["annotations"] =
        serde_json::json!({ "vnd.docker.reference.type": "attestation-manifest" });
    let mut absent = descriptor("application/vnd.oci.image.manifest.v1+json", b"not here");
    absent["platform"] = serde_json::json!({ "os": "linux", "architecture": "amd64" });
    let (arm, amd) = (pointer(&other, "arm64"), pointer(&wanted, "amd64"));
    let table = [
        (serde_json::json!([attestation, arm, amd]), "apache 1.0.0"),
        (serde_json::json!([absent, attestation, arm]), "arm 1.0.0"),
    ];
    for (manifests, first) in table {
        let plan = Place::new().import(nested(1, manifests.clone()), &Ask::default());
        assert_eq!(plan.added[0], first);
        let plan = Place::new().import(nested(3, manifests.clone()), &Ask::default());
        assert_eq!(plan.added[0], first);
        refused(nested(4, manifests), "goes deeper than 4 levels");
    }
    refused(nested(1, serde_json::json!([absent])), "is missing");
    refused(
        nested(1, serde_json::json!([attestation])),
        "names no image",
    );
}

#[test]
fn a_bomb_in_a_layer_is_refused_and_small_layers_share_one_allowance() {
    let place = |bytes: u64| {
        let bomb = zst_of_zeros(bytes);
        let plain = vec![0; bytes as usize];
        (bomb, hex(&plain))
    };
    let limits = Limits {
        expansion_free_bytes: 1 << 20,
        ..Limits::default()
    };
    let saved = |layers: &[(Vec<u8>, String)]| {
        let ids: Vec<_> = layers
            .iter()
            .map(|(_, id)| format!("sha256:{id}"))
            .collect();
        let config = serde_json::json!({ "rootfs": { "diff_ids": ids } }).to_string();
        let names: Vec<_> = (0..layers.len())
            .map(|n| format!("{n}/layer.tar"))
            .collect();
        let manifest =
            serde_json::json!([{ "Config": "c.json", "RepoTags": ["x:9.2.0"], "Layers": names }]);
        let source = tar()
            .file("manifest.json", manifest.to_string())
            .file("c.json", config);
        let layers = layers.iter().enumerate();
        layers
            .fold(source, |tar, (number, (bytes, _))| {
                tar.file(format!("{number}/layer.tar"), bytes)
            })
            .bytes()
    };
    refused_within(
        limits.clone(),
        saved(&[place(64 << 20)]),
        "expands to more than 250 times its size",
    );
    // Alone each would be let through.
    refused_within(
        limits.clone(),
        saved(&[place(900 << 10)]),
        "no package found",
    );
    refused_within(
        limits,
        saved(&vec![place(900 << 10); 12]),
        "expands to more than 250 times its size",
    );
}

#[test]
fn what_must_be_remembered_of_an_image_is_bounded() {
    let image = release(ImageForm::DockerOci, Layer::Plain);
    let files = image.files().len();
    refused_within(
        Limits {
            image_path_bytes: 500,
            ..Limits::default()
        },
        image.bytes(),
        "take more than 500 bytes to remember",
    );
    refused_within(
        Limits {
            image_entries: 2,
            ..Limits::default()
        },
        image.bytes(),
        "more than 2 entries",
    );
    refused_within(
        Limits {
            image_members: files - 1,
            ..Limits::default()
        },
        image.bytes(),
        "members",
    );
}

#[test]
fn an_image_cut_anywhere_offers_nothing() {
    for form in ImageForm::ALL {
        let whole = release(form, Layer::Gzip).bytes();
        let place = Place::new();
        let before = place.offered();
        for end in (512..whole.len() - 1024).step_by(997) {
            let cut = whole.get(..end).unwrap();
            assert!(
                place.stage(cut, &Ask::release("9.2.0")).is_err(),
                "{form:?} {end}"
            );
            assert_eq!(place.offered(), before, "{form:?} {end}");
        }
    }
}

#[test]
fn the_form_between_command_line_and_server_is_not_believed_either() {
    let layer = tar().package("packages/nginx/1.5.0").bytes();
    let order = |sha256: &str, diff_id: &str| {
        serde_json::json!({ "name": "x:9.2.0", "registry_version": "1.31.1", "layers":
            [{ "path": "l", "sha256": sha256, "diff_id": diff_id }] })
        .to_string()
    };
    let good = order(&hex(&layer), &hex(&layer));
    let source = |order: &str| tar().file("airlock-image.json", order);
    let plan = Place::new().import(source(&good).file("0", &layer).bytes(), &Ask::default());
    assert_eq!(plan.added, ["nginx 1.5.0"]);
    let bad = hex(b"bad");
    for (tar, reason) in [
        (source(&good), "l is not next"),
        (source(&good).file("1", &layer), "l is not next"),
        (
            source(&good).file("0", &layer).file("1", &layer),
            "more than announced",
        ),
        (
            source(&order(&bad, &hex(&layer))).file("0", &layer),
            "has the digest",
        ),
        (
            source(&order(&hex(&layer), &bad)).file("0", &layer),
            "has the digest",
        ),
        (
            source(&order("no digest", "")).file("0", &layer),
            "the digest \"no digest\"",
        ),
        (source("{}"), "airlock-image.json cannot be understood"),
        (source(&good).file("0", "no tar"), "not an archive"),
        (source(&good).symlink("0", "/etc/passwd"), "l is not next"),
    ] {
        refused(tar.bytes(), reason);
    }
}

#[test]
fn as_many_layers_without_a_byte_as_an_image_may_have_are_no_fault() {
    let packages = tar().package("packages/nginx/1.5.0").bytes();
    let empty = Limits::default().image_entries - 1;
    let empty_layer = serde_json::json!({ "path": "e", "diff_id": hex(b"") });
    let mut layers = vec![empty_layer; empty];
    layers.push(serde_json::json!({ "path": "l", "diff_id": hex(&packages) }));
    let order = serde_json::json!({ "name": "x:9.2.0", "layers": layers });
    let source = tar().file("airlock-image.json", order.to_string());
    let source = (0..empty).fold(source, |tar, number| tar.file(number.to_string(), ""));
    let source = source.file(empty.to_string(), &packages);
    // Whoever reads has the stack of a thread.
    let reader = std::thread::Builder::new().stack_size(1 << 20);
    let imported = reader
        .spawn(move || Place::new().import(source.bytes(), &Ask::default()).added)
        .unwrap();
    assert_eq!(imported.join().unwrap(), ["nginx 1.5.0"]);
}

#[test]
fn a_zip_may_be_larger_than_a_file_and_no_larger_than_an_artifact() {
    let package = |version: &str, files: usize| {
        let root = format!("nginx-{version}");
        let zip = zip()
            .stored(format!("{root}/manifest.yml"), manifest("nginx", version))
            .stored(format!("{root}/docs/README.md"), "# nginx");
        (0..files).fold(zip, |zip, number| {
            zip.stored(format!("{root}/docs/{number}.md"), [b'x'; 900])
        })
    };
    let limits = Limits {
        entry_bytes: 1000,
        artifact_bytes: 9000,
        ..Limits::default()
    };
    let with = |folder: &str| {
        tar()
            .file(
                format!("{folder}nginx-1.0.0.zip"),
                package("1.0.0", 3).bytes(),
            )
            .file(
                format!("{folder}nginx-2.0.0.zip"),
                package("2.0.0", 12).bytes(),
            )
            .file(format!("{folder}other.bin"), [0; 2000])
            .file(
                format!("{folder}nginx/3.0.0/manifest.yml"),
                manifest("nginx", "3.0.0"),
            )
            .file(format!("{folder}nginx/3.0.0/large.zip"), [0; 2000])
    };
    let saved = image(ImageForm::DockerOci, &[with("packages/")]).tag("x:9.2.0");
    for source in [with("packages/").bytes(), saved.bytes()] {
        let place = Place::within(limits.clone());
        let plan = place.import(source, &Ask::release("9.2.0"));
        assert_eq!(plan.added, ["nginx 1.0.0"]);
        let why: Vec<_> = plan.quarantined.iter().map(|it| it.why.as_str()).collect();
        assert_eq!(why.len(), 2, "{why:?}");
        assert!(
            why.iter().any(|why| why.ends_with("more than 9000")),
            "{why:?}"
        );
        let large = "large.zip is larger than 1000 bytes";
        assert!(why.iter().any(|why| why.contains(large)), "{why:?}");
    }
}
