//! Names that come twice: in one package, to one system, in one source.

use super::outcomes;
use crate::archives::tar;
use crate::trees::manifest;

#[test]
fn names_that_are_one_somewhere_put_their_package_aside_and_are_named_both() {
    let pairs = [
        ("same content", ["img/a", "img/a"]),
        ("case", ["img/Logo.svg", "img/logo.svg"]),
        ("case of a folder", ["IMG/a", "img/A"]),
        ("case of the manifest", ["MANIFEST.YML", "x"]),
        ("composed", ["img/caf\u{e9}", "img/cafe\u{301}"]),
        ("composed and case", ["img/CAF\u{c9}", "img/cafe\u{301}"]),
        (
            "two accents in two orders",
            ["a\u{323}\u{307}", "a\u{307}\u{323}"],
        ),
        ("angstrom", ["\u{212b}", "\u{c5}"]),
        ("Hangul", ["\u{1100}\u{1161}", "\u{ac00}"]),
        ("sharp s", ["stra\u{df}e", "STRASSE"]),
        ("final sigma", ["\u{3c3}", "\u{3c2}"]),
        ("ligature", ["\u{fb01}x", "FIX"]),
        ("file and folder", ["x", "x/y"]),
        ("folder and file", ["x/y", "x"]),
        ("file and folder by case", ["X", "x/y"]),
        ("file and folder by form", ["e\u{301}/y", "\u{e9}"]),
        ("folders by case alone", ["IMG/a", "img/b"]),
        ("letters that only look alike", ["a", "\u{430}"]),
        ("width", ["a", "\u{ff41}"]),
        ("dots", ["a.b", "a..b"]),
    ];
    let seen = outcomes(pairs.map(|(name, [one, other])| {
        let tar = tar()
            .package("a/1.0.0")
            .package("bad/1.0.0")
            .file(format!("bad/1.0.0/{one}"), "1")
            .file(format!("bad/1.0.0/{other}"), "1")
            .package("z/1.0.0");
        (name, tar.bytes())
    }));
    insta::assert_snapshot!(seen, @r"
    same content: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds img/a twice [2 artifact, 6 content, 1 quarantine]
    case: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds img/Logo.svg and img/logo.svg, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    case of a folder: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds IMG/a and img/A, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    case of the manifest: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds MANIFEST.YML and manifest.yml, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    composed: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds img/cafe\u{301} and img/caf\u{e9}, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    composed and case: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds img/CAF\u{c9} and img/cafe\u{301}, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    two accents in two orders: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds a\u{307}\u{323} and a\u{323}\u{307}, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    angstrom: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds \u{c5} and \u{212b}, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    Hangul: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds \u{1100}\u{1161} and \u{ac00}, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    sharp s: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds STRASSE and stra\u{df}e, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    final sigma: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds \u{3c2} and \u{3c3}, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    ligature: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds FIX and \u{fb01}x, which are one name to some systems [2 artifact, 6 content, 1 quarantine]
    file and folder: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds x as a file and as a folder [2 artifact, 6 content, 1 quarantine]
    folder and file: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds x as a file and as a folder [2 artifact, 6 content, 1 quarantine]
    file and folder by case: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds X as a file and as a folder [2 artifact, 6 content, 1 quarantine]
    file and folder by form: takes a 1.0.0, z 1.0.0; bad/1.0.0: it holds é as a file and as a folder [2 artifact, 6 content, 1 quarantine]
    folders by case alone: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    letters that only look alike: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    width: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    dots: takes a 1.0.0, bad 1.0.0, z 1.0.0 [3 artifact, 10 content]
    ");
}

#[test]
fn packages_that_come_twice_or_in_pieces_are_put_aside() {
    let a = || tar().package("a/1.0.0");
    let seen = outcomes([
        (
            "the same again",
            a().package("z/1.0.0").package("a/1.0.0").bytes(),
        ),
        (
            "in two pieces",
            a().package("z/1.0.0").file("a/1.0.0/x", "1").bytes(),
        ),
        ("in another folder under its own name", {
            a().file("b/1.0.0/docs/README.md", "")
                .file("b/1.0.0/manifest.yml", manifest("a", "1.0.0"))
                .bytes()
        }),
        (
            "two manifests",
            a().package("bad/1.0.0")
                .file("bad/1.0.0/manifest.yml", manifest("bad", "1.0.0"))
                .bytes(),
        ),
        ("a version of another folder", {
            a().file("bad/1.0.0/docs/README.md", "")
                .file("bad/1.0.0/manifest.yml", manifest("bad", "2.0.0"))
                .bytes()
        }),
        (
            "another name for a version",
            a().package("a/1.0.0+1").bytes(),
        ),
        ("a folder too deep", a().package("x/y/z/1.0.0").bytes()),
        ("two roots", a().package("packages/b/1.0.0").bytes()),
        ("a thousand empty folders", {
            (0..1000)
                .fold(a(), |tar, n| tar.directory(format!("b/1.0.{n}/")))
                .bytes()
        }),
        ("files beside packages without end", {
            (0..1000)
                .fold(a(), |tar, n| tar.file(format!("{n}"), "x"))
                .bytes()
        }),
        (
            "folders in folders",
            a().file(["x"; 64].join("/"), "1").bytes(),
        ),
    ]);
    insta::assert_snapshot!(seen, @r"
    the same again: takes z 1.0.0; a/1.0.0: its files do not lie together in the source [2 artifact, 6 content, 1 quarantine]
    in two pieces: takes z 1.0.0; a/1.0.0: its files do not lie together in the source [2 artifact, 6 content, 1 quarantine]
    in another folder under its own name: takes a 1.0.0; b/1.0.0: a 1.0.0 was in this source before, at a/1.0.0 [2 artifact, 4 content, 1 quarantine]
    two manifests: takes a 1.0.0; bad/1.0.0: it holds manifest.yml twice [1 artifact, 3 content, 1 quarantine]
    a version of another folder: takes a 1.0.0, bad 2.0.0 [2 artifact, 6 content]
    another name for a version: takes a 1.0.0, a 1.0.0+1 [2 artifact, 5 content]
    a folder too deep: takes a 1.0.0 [1 artifact, 3 content]
    two roots: takes b 1.0.0 [2 artifact, 6 content]
    a thousand empty folders: takes a 1.0.0 [1 artifact, 3 content]
    files beside packages without end: takes a 1.0.0 [1 artifact, 3 content]
    folders in folders: takes a 1.0.0 [1 artifact, 3 content]
    ");
}
