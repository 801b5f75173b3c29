//! What the arguments of `airlock import` may be: pieces, several zips, folders, images of which one is meant.

use crate::archives::{Image, ImageForm, Zip, image, tar, zip};
use crate::server::Server;
use crate::trees::{manifest, release};
use crate::{Site, text};

/// Returns the zip of the smallest package, all files stored.
fn package(name: &str, version: &str) -> Zip {
    let root = format!("{name}-{version}");
    zip()
        .stored(format!("{root}/docs/README.md"), format!("# {name}\n"))
        .stored(format!("{root}/manifest.yml"), manifest(name, version))
}

fn distribution(form: ImageForm, tags: &[&str]) -> Image {
    let layers = [
        tar().file("etc/passwd", "root"),
        tar()
            .file(
                "packages/package-storage/nginx-1.5.0.zip",
                package("nginx", "1.5.0").bytes(),
            )
            .package("packages/package-storage/apache/1.0.0"),
    ];
    let name = "docker.elastic.co/package-registry/distribution";
    let image = image(form, &layers);
    tags.iter()
        .fold(image, |image, tag| image.tag(&format!("{name}:{tag}")))
}

/// Writes pieces as `split` names them and returns where they are.
fn split(site: &Site, name: &str, bytes: &[u8], piece_bytes: usize) -> Vec<String> {
    let ends = ('a'..='z').map(|end| format!("a{end}"));
    let pieces = bytes.chunks(piece_bytes).zip(ends);
    pieces
        .map(|(piece, end)| site.source(&format!("{name}.{end}"), piece))
        .collect()
}

fn import(pieces: &[String]) -> Vec<&str> {
    let pieces = pieces.iter().map(String::as_str);
    std::iter::once("import").chain(pieces).collect()
}

#[test]
fn the_pieces_of_a_file_are_the_file() {
    for form in ImageForm::ALL {
        let bytes = distribution(form, &["9.2.0"]).bytes();
        for piece_bytes in [bytes.len() / 3 + 1, 1000] {
            let site = Site::new();
            let pieces = split(&site, "image.tar", &bytes, piece_bytes);
            let said = site.run(&import(&pieces));
            assert!(
                said.contains("2 added of 2 package versions"),
                "{form:?}: {said}"
            );
            let again = site.run(&import(&pieces));
            assert!(
                again.starts_with("exit 0\nNothing changed: 9.2.0 has all of"),
                "{again}"
            );
            // The pieces are the file: it is known as well.
            let whole = site.source("image.tar", &bytes);
            let whole = site.run(&["import", &whole]);
            assert!(whole.starts_with("exit 0\nNothing changed"), "{whole}");
        }
    }
    let site = Site::new();
    let server = Server::start(&site);
    let pieces = split(&site, "8.5.0.tar.zst", &release("8.5.0").tar().zst(), 100);
    assert!(pieces.len() > 2);
    let said = site.run(&import(&pieces));
    assert!(said.contains("from 8.5.0.tar.zst.aa and"), "{said}");
    assert_eq!(server.get("/search?all=true").packages().len(), 2);
}

#[test]
fn pieces_that_are_not_all_or_not_in_order_are_refused() {
    let site = Site::new();
    let bytes = distribution(ImageForm::DockerOci, &["9.2.0"]).bytes();
    let pieces = split(&site, "image.tar", &bytes, bytes.len() / 4 + 1);
    let of = |numbers: &[usize]| -> Vec<String> {
        numbers
            .iter()
            .map(|number| pieces[*number].clone())
            .collect()
    };
    insta::assert_snapshot!(site.run(&import(&of(&[0, 2, 3]))), @r"
    exit 1
    Error: the sources are not the pieces of one file in their order
    Caused by: [SITE]/image.tar.ab is missing between [SITE]/image.tar.aa and [SITE]/image.tar.ac
    Hint: name all pieces that `split` made, as in `airlock import image.tar.*`
    ");
    insta::assert_snapshot!(site.run(&import(&of(&[1, 0, 2, 3]))), @r"
    exit 1
    Error: the sources are not the pieces of one file in their order
    Caused by: [SITE]/image.tar.ab stands before [SITE]/image.tar.aa
    Hint: name all pieces that `split` made, as in `airlock import image.tar.*`
    ");
    insta::assert_snapshot!(site.run(&import(&of(&[0, 1, 2]))), @r"
    exit 1
    Error: cannot read the image in [SITE]/image.tar.aa and 2 more
    Caused by: truncated in index.json
    Hint: copy it once more from where it came; where it was split name all pieces in their order, as in `airlock import image.tar.*`, and import several archives one by one
    ");
    let checksum = site.source("image.tar.sha256", "0");
    insta::assert_snapshot!(site.run(&["import", &pieces[0], &pieces[1], &checksum]), @r"
    exit 1
    Error: [SITE]/image.tar.sha256 is no piece of a file
    Hint: name the pieces alone, as in `airlock import image.tar.a?`
    ");
    let first_alone = site.run(&import(&of(&[0])));
    assert!(
        first_alone.contains("Caused by: truncated after blobs/sha256/"),
        "{first_alone}"
    );
    insta::assert_snapshot!(site.run(&import(&of(&[1, 2, 3]))), @r"
    exit 1
    Error: cannot read the source
    Caused by: not an archive: the source begins with 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    Hint: `airlock import` takes archives and folders of packages, packages as zips, and images as `docker save`, `podman save` and skopeo write them; of a file that was split name all pieces in their order, as in `airlock import image.tar.*`
    ");
    insta::assert_snapshot!(site.run(&["distribution", "list"]), @r"
    exit 0
    There is no distribution yet; `airlock import` makes the first.
    ");
}

#[test]
fn several_zips_are_one_plan_and_come_back_to_the_byte() {
    let site = Site::new();
    let server = Server::start(&site);
    let (nginx, apache) = (
        package("nginx", "1.5.0").bytes(),
        package("apache", "1.0.0").bytes(),
    );
    let zips = [
        site.source("nginx-1.5.0.zip", &nginx),
        site.source("apache-1.0.0.zip", &apache),
    ];
    site.source("apache-1.0.0.zip.sig", "no signature");
    insta::assert_snapshot!(site.run(&["import", &zips[0], &zips[1], "--branch", "mine"]), @r"
    exit 0
    Plan 1 makes local branch mine from apache-1.0.0.zip and 2 more (4.10 kB)
            2 added
    Signatures (verify): 1 unreadable, 1 without one
    Change set 1: 2 added of 2 package versions, served at / and /d/mine/
    ");
    insta::assert_snapshot!(site.run(&["import", &zips[1], &zips[0], "--branch", "mine"]), @r"
    exit 0
    Nothing changed: mine has all of apache-1.0.0.zip and 2 more already.
    ");
    assert!(server.get("/epr/nginx/nginx-1.5.0.zip").body == nginx);
    assert!(server.get("/epr/apache/apache-1.0.0.zip").body == apache);
}

#[test]
fn sources_that_are_not_one_thing_are_refused() {
    let site = Site::new();
    let zip = site.source("nginx-1.5.0.zip", package("nginx", "1.5.0").bytes());
    let tar = site.source("8.5.0.tar", release("8.5.0").tar().bytes());
    let folder = site.path("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&zip, folder.join("nginx-1.5.0.zip")).unwrap();
    let other_zip = folder.join("nginx-1.5.0.zip");
    insta::assert_snapshot!(site.run(&["import", &zip, &tar]), @r"
    exit 1
    Error: some of the sources are zips of packages, and [SITE]/8.5.0.tar is not
    Hint: several sources are zips called NAME-VERSION.zip, or the pieces of one file in their order: import the others with a command of their own
    ");
    insta::assert_snapshot!(site.run(&["import", &zip, text(&folder)]), @r"
    exit 1
    Error: [SITE]/folder is a folder, and there are other sources beside it
    Hint: import one after the other, each with a command of its own
    ");
    insta::assert_snapshot!(site.run(&["import", "-", &tar]), @r"
    exit 1
    Error: standard input is not read beside files
    Hint: import one after the other, each with a command of its own
    ");
    insta::assert_snapshot!(site.run(&["import", &zip, text(&other_zip)]), @r"
    exit 1
    Error: nginx-1.5.0.zip is named twice
    Hint: import the one that is meant, the other with a command of its own
    ");
    insta::assert_snapshot!(site.run(&["import", &tar, text(&site.path("missing.tar"))]), @r"
    exit 1
    Error: cannot open [SITE]/missing.tar
    Caused by: No such file or directory (os error 2)
    Hint: `airlock import` takes a file or its pieces, zips, a folder or - for standard input
    ");
    // Two archives are no pieces of one.
    insta::assert_snapshot!(site.run(&["import", &tar, &tar]), @r"
    exit 1
    Error: the sources are not the pieces of one file in their order
    Caused by: [SITE]/8.5.0.tar is named twice
    Hint: name all pieces that `split` made, as in `airlock import image.tar.*`
    ");
    let second = site.source("8.6.0.tar", release("8.6.0").tar().bytes());
    insta::assert_snapshot!(site.run(&["import", &tar, &second]), @r"
    exit 1
    Error: cannot read the source
    Caused by: the tar goes on after its end mark
    Hint: copy it once more from where it came; where it was split name all pieces in their order, as in `airlock import image.tar.*`, and import several archives one by one
    ");
    insta::assert_snapshot!(site.run(&["import"]), @r"
    exit 1
    error: the following required arguments were not provided:
      <SOURCE>...

    Usage: airlock import <SOURCE>...

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(site.run(&["distribution", "list"]), @r"
    exit 0
    There is no distribution yet; `airlock import` makes the first.
    ");
}

#[test]
fn of_several_images_the_one_that_is_named_is_imported() {
    for form in ImageForm::ALL {
        let site = Site::new();
        let server = Server::start(&site);
        let file = site.source(
            "images.tar",
            distribution(form, &["9.2.0", "lite-9.2.0"]).bytes(),
        );
        insta::allow_duplicates! {
            insta::assert_snapshot!(site.run(&["import", &file]), @r"
            exit 1
            Error: cannot read the image in [SITE]/images.tar
            Caused by: the file holds several images: docker.elastic.co/package-registry/distribution:9.2.0, docker.elastic.co/package-registry/distribution:lite-9.2.0
            Hint: name the one that is meant with --image NAME:TAG
            ");
            insta::assert_snapshot!(site.run(&["import", &file, "--image", "9.3.0"]), @r"
            exit 1
            Error: cannot read the image in [SITE]/images.tar
            Caused by: the file does not hold the image 9.3.0, but docker.elastic.co/package-registry/distribution:9.2.0, docker.elastic.co/package-registry/distribution:lite-9.2.0
            Hint: name the one that is meant with --image NAME:TAG
            ");
            insta::assert_snapshot!(site.run(&["import", &file, "--image", "distribution:lite-9.2.0", "--quiet"]), @"exit 0");
            insta::assert_snapshot!(site.run(&["import", &file, "--image", "lite-9.2.0"]), @r"
            exit 0
            Nothing changed: lite-9.2.0 has all of images.tar already.
            ");
            insta::assert_snapshot!(site.run(&["import", &file, "--image", "9.2.0", "--quiet"]), @"exit 0");
        }
        assert_eq!(
            server.get("/d/lite-9.2.0/search?all=true").packages().len(),
            2
        );
    }
}

#[test]
fn a_folder_that_is_known_is_told_so_at_once() {
    let site = Site::new();
    release("8.5.0").write(&site.path(""));
    let folder = site.path("package-storage-8.5.0");
    site.run(&["import", text(&folder)]);
    insta::assert_snapshot!(site.run(&["import", text(&folder)]), @r"
    exit 0
    Nothing changed: 8.5.0 has all of package-storage-8.5.0 already.
    ");
}

#[test]
fn a_file_as_standard_input_is_read_as_the_file_that_it_is() {
    let site = Site::new();
    let image = distribution(ImageForm::DockerArchive, &["9.2.0"]);
    let file = site.source("image.tar", image.bytes());
    let run = || {
        let mut command = site.command(&["import", "-"]);
        command.stdin(std::fs::File::open(&file).unwrap());
        site.shown(&command.output().unwrap())
    };
    insta::assert_snapshot!(run(), @r"
    exit 0
    Plan 1 makes release 9.2.0 from - (9.22 kB)
            2 added
    Change set 1: 2 added of 2 package versions, served at / and /d/9.2.0/
    ");
    insta::assert_snapshot!(site.run(&["import", &file]), @r"
    exit 0
    Nothing changed: 9.2.0 has all of image.tar already.
    ");
}

#[test]
fn what_has_to_be_copied_first_is_announced_and_gone_afterwards() {
    let image = distribution(ImageForm::DockerArchive, &["9.2.0"]).bytes();
    let compressed = crate::archives::zst(&image);
    let site = Site::new();
    let server = Server::start(&site);
    for (data, served) in [(&site, true), (&Site::new(), false)] {
        let file = data.source("image.tar.zst", &compressed);
        insta::allow_duplicates! {
            insta::assert_snapshot!(data.run(&["import", &file]), @r"
            exit 0
            Plan 1 makes release 9.2.0 from image.tar.zst (1.07 kB)
                    2 added
            Change set 1: 2 added of 2 package versions, served at / and /d/9.2.0/
            6.71 kB were copied to the data folder first: the layers come before what says their order. A file that is not compressed is read where it lies.
            ");
            insta::assert_snapshot!(data.run_with_input(&["import", "-", "--release", "9.3.0"], &image), @r"
            exit 0
            Plan 2 makes release 9.3.0 from - (12.29 kB)
                    2 added
            Change set 2: 2 added of 2 package versions, served at /d/9.3.0/; `airlock activate 9.3.0` puts it at /
            6.71 kB were copied to the data folder first: the layers come before what says their order. A file that is not compressed is read where it lies.
            ");
        }
        let names = std::fs::read_dir(data.data()).unwrap();
        let names: Vec<_> = names
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        let is_known = |name: &String| name.starts_with("airlock.") || name == "control.sock";
        assert!(names.iter().all(is_known), "{names:?}");
        assert_eq!(names.contains(&"control.sock".to_owned()), served);
    }
    assert_eq!(server.get("/d/9.3.0/search?all=true").packages().len(), 2);
}

#[test]
fn the_tag_of_an_image_says_where_it_goes() {
    let site = Site::new();
    let server = Server::start(&site);
    let layer = |versions: &[&str]| {
        versions.iter().fold(tar(), |tar, version| {
            tar.package(&format!("packages/package-storage/nginx/{version}"))
        })
    };
    let import = |tag: &str, versions: &[&str]| {
        let image = image(ImageForm::DockerOci, &[layer(versions)]).tag(tag);
        let file = site.source("image.tar", image.bytes());
        let said = site.run(&["import", &file]);
        let plan = said.lines().nth(1).unwrap_or_default();
        let end = plan.find(" from ").unwrap_or(plan.len());
        plan[..end].to_owned()
    };
    // Each with a version of its own, so that none is known by its digest.
    for (number, (tag, plan)) in (0..).zip([
        ("x/distribution:9.2.0", "makes release 9.2.0"),
        ("x/distribution:9.3.0-fips", "makes release 9.3.0"),
        ("x/distribution:9.4.0-ubi", "makes release 9.4.0"),
        ("x/distribution:lite-9.2.0", "makes release lite-9.2.0"),
        (
            "x/distribution:production",
            "makes production branch production",
        ),
        ("x/distribution:lite", "makes local branch lite"),
        ("x/distribution:staging", "makes staging branch staging"),
        ("x/distribution:snapshot", "makes snapshot branch snapshot"),
    ]) {
        let said = import(tag, &[&format!("1.{number}.0")]);
        assert!(said.ends_with(plan), "{tag}: {said}");
    }
    // A release that comes again is an edition, a branch takes more.
    assert!(import("x:9.2.0-ubi", &["1.0.0"]).ends_with("changes release 9.2.0"));
    assert!(import("x:9.2.0-ubi", &["1.0.0", "2.0.0"]).contains("makes release 9.2.0+"));
    assert!(import("x:production", &["2.0.0"]).ends_with("changes production branch production"));
    let held = server.get("/d/production/search?all=true").packages();
    assert_eq!(held, ["nginx-1.4.0", "nginx-2.0.0"]);
    for tag in ["x:c1836cb784f2cc3e", "x:latest"] {
        let said = import(tag, &["3.0.0"]);
        assert_eq!(said, "Error: the source does not say which release it is");
    }
}
