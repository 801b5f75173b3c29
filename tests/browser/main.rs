//! The admin side in a headless Chromium: a real server, and the scripts beside this file, which node runs.
//!
//! What is missing of Chromium, node and npm is installed on Debian by root, and else named; then the test is left out, with a line
//! that says so. In CI (`CI=true`) it has to run. Pictures of each step lie in `browser/` of `CARGO_TARGET_TMPDIR`.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

#[path = "../support/child.rs"]
mod child;
mod programs;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use airlock::admin::pages;
use child::{Server, airlock};
use programs::Programs;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");

/// Has npm install what the scripts need into a copy of them, which it returns; else says why it cannot.
fn installed(programs: &Programs) -> Result<PathBuf, String> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser-scripts");
    fs::create_dir_all(&place).unwrap();
    let lock = fs::read(Path::new(SCRIPTS).join("package-lock.json")).unwrap();
    let is_new = fs::read(place.join("installed-lock.json")).ok().as_ref() != Some(&lock);
    for file in fs::read_dir(SCRIPTS).unwrap() {
        let file = file.unwrap();
        if file.path().extension().is_none_or(|it| it != "rs") {
            fs::copy(file.path(), place.join(file.file_name())).unwrap();
        }
    }
    if is_new {
        let args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        let ended = Command::new(&programs.npm)
            .args(args)
            .current_dir(&place)
            .output();
        let ended = ended.unwrap();
        if !ended.status.success() {
            let said = String::from_utf8_lossy(&ended.stderr);
            return Err(format!("npm ci fails: {said}"));
        }
        fs::write(place.join("installed-lock.json"), lock).unwrap();
    }
    Ok(place)
}

/// Returns the path of a link that makes the first admin of the store in `data`.
fn setup_path(data: &Path) -> String {
    let made = airlock(data, &["--quiet", "setup-link"]).output().unwrap();
    let link = String::from_utf8(made.stdout).unwrap();
    let at = link.find("/admin/setup/").expect("setup-link prints one");
    link[at..].trim().to_owned()
}

/// Returns the patterns of all pages that are looked at.
fn patterns() -> String {
    let pages = pages::served().into_iter();
    let looked_at = pages.filter(|it| it.method == "GET").map(|it| it.path);
    looked_at.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_admin_side_works_in_a_browser() {
    let found = Programs::find_or_install();
    let ready = found.and_then(|programs| Ok((installed(&programs)?, programs)));
    let (scripts, programs) = match ready {
        Ok(ready) => ready,
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            // Shown though the test passes, unlike what `println!` says.
            let _ = writeln!(std::io::stderr(), "left out: {missing}");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("store");
    let server = Server::start(&data);
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    let _ = fs::remove_dir_all(&pictures);
    let ended = Command::new(&programs.node)
        .arg("all.mjs")
        .current_dir(&scripts)
        .env("AIRLOCK_CHROMIUM", &programs.chromium)
        .env("AIRLOCK_TEST_SERVER", server.url())
        .env("AIRLOCK_TEST_SETUP", setup_path(&data))
        .env("AIRLOCK_TEST_PAGES", patterns())
        .env("AIRLOCK_TEST_PICTURES", &pictures)
        .env("AIRLOCK_TEST_FOLDER", folder.path())
        .env(
            "AIRLOCK_TEST_SAMPLE",
            concat!(env!("CARGO_MANIFEST_DIR"), "/sample/packages"),
        )
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&ended.stdout));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success(),
        "{said}\npictures: {}",
        pictures.display()
    );
    assert!(server.stop());
}
