//! A disk without room: an import stops with what it needs and leaves nothing, and what is here is served all the same.
//!
//! Each test has a small disk of its own: a tmpfs in a mount namespace of its own, which root may make, and others where
//! the system lets them (`unshare -rm`). Where neither is so, a test says that it was left out.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

#[path = "support/archives.rs"]
mod archives;
#[path = "support/child.rs"]
mod child;
#[path = "support/trees.rs"]
mod trees;

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use airlock::store::{RESERVE_BYTES, Store, StoreError};
use child::{Server, airlock, answers, counts};
use trees::{Tree, noise, release};

const MIB: u64 = 1 << 20;

/// A small disk: a store on it, sources beside it.
struct SmallDisk {
    mount: PathBuf,
    beside: tempfile::TempDir,
}

impl SmallDisk {
    fn data(&self) -> PathBuf {
        self.mount.join("data")
    }

    /// Writes a source, not on the small disk.
    fn source(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.beside.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn free_bytes(&self) -> u64 {
        let disk = rustix::fs::statvfs(&self.mount).unwrap();
        disk.f_bavail * disk.f_frsize
    }

    fn resize(&self, bytes: u64) {
        let options = format!("remount,size={bytes}");
        let mut mount = Command::new("mount");
        mount.args(["-o", &options]).arg(&self.mount);
        assert!(mount.status().unwrap().success());
    }

    /// Leaves exactly this many bytes free.
    fn leave(&self, bytes: u64) {
        let disk = rustix::fs::statvfs(&self.mount).unwrap();
        self.resize((disk.f_blocks - disk.f_bfree) * disk.f_frsize + bytes);
        assert_eq!(self.free_bytes() / MIB, bytes / MIB);
    }

    /// Returns the least that was free while `run` ran, and what that returned.
    fn least_free_while<T>(&self, run: impl FnOnce() -> T) -> (u64, T) {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let mut least = u64::MAX;
                while !is_over.load(Ordering::Relaxed) {
                    least = least.min(self.free_bytes());
                    std::thread::yield_now();
                }
                least
            });
            let outcome = run();
            is_over.store(true, Ordering::Relaxed);
            (watching.join().unwrap(), outcome)
        })
    }

    /// Takes all that is free.
    fn fill(&self) {
        let mut file = File::create(self.mount.join("fill")).unwrap();
        for piece_bytes in [64 << 10, 1] {
            let piece = vec![1; piece_bytes];
            while file.write_all(&piece).is_ok() {}
        }
        assert_eq!(self.free_bytes(), 0);
    }

    fn empty(&self) {
        std::fs::remove_file(self.mount.join("fill")).unwrap();
    }

    /// Runs a command to its end; returns its exit code and standard error.
    fn run(&self, args: &[&str]) -> (i32, String) {
        self.run_with_input(args, Stdio::null())
    }

    fn run_with_input(&self, args: &[&str], input: Stdio) -> (i32, String) {
        let output = airlock(&self.data(), args).stdin(input).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), text)
    }
}

/// Runs `test`, which is called `name`, on a disk of `disk_mib`.
fn on_a_small_disk(name: &str, disk_mib: u64, test: impl FnOnce(&SmallDisk)) {
    const INSIDE: &str = "AIRLOCK_TEST_IN_MOUNT_NAMESPACE";
    if std::env::var_os(INSIDE).is_some() {
        let mount = tempfile::tempdir().unwrap();
        let options = format!("size={disk_mib}m");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(mount.path());
        assert!(command.status().unwrap().success());
        let disk = SmallDisk {
            mount: mount.path().to_owned(),
            beside: tempfile::tempdir().unwrap(),
        };
        test(&disk);
        let mut command = Command::new("umount");
        assert!(
            command
                .arg("-l")
                .arg(mount.path())
                .status()
                .unwrap()
                .success()
        );
        return;
    }
    let mut probe = Command::new("unshare");
    probe.args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        println!("left out: no small disk can be mounted here");
        return;
    }
    let mut inside = Command::new("unshare");
    inside
        .arg("-rm")
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(INSIDE, "1");
    let output = inside.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

/// Returns a release of packages whose bytes no compression makes smaller.
fn large(packages: usize, package_bytes: usize) -> Tree {
    let noise = noise(packages * package_bytes);
    let packages = noise.chunks(package_bytes).zip(0..);
    packages.fold(release("8.6.0"), |tree, (noise, number)| {
        let folder = format!("package-storage-8.6.0/packages/noise/1.0.{number}");
        let (one, other) = noise.split_at(noise.len() / 3);
        tree.package(&folder)
            .file(&format!("{folder}/img/one.png"), one)
            .file(&format!("{folder}/img/other.png"), other)
    })
}

/// Returns the two numbers of an error that says how many bytes an import needs and how many are free.
fn needed_and_free(text: &str, how: &str) -> (u64, u64) {
    let (_, rest) = text
        .split_once(&format!("Error: the import needs {how} "))
        .unwrap_or_else(|| panic!("{text}"));
    let (needed, rest) = rest.split_once(" bytes free in ").unwrap();
    let (_, rest) = rest.split_once(", and ").unwrap();
    let (free, _) = rest.split_once(" are\n").unwrap();
    assert!(text.contains("\nHint: "), "{text}");
    (needed.parse().unwrap(), free.parse().unwrap())
}

#[test]
fn an_import_without_room_says_what_it_needs_and_leaves_nothing_while_all_is_served() {
    let name = "an_import_without_room_says_what_it_needs_and_leaves_nothing_while_all_is_served";
    on_a_small_disk(name, 76, |disk| {
        let first = disk.source("8.5.0.tar", release("8.5.0").tar().bytes());
        assert_eq!(disk.run(&["import", &first]).0, 0);
        let source = disk.source("8.6.0.tar", large(80, 600 << 10).tar().bytes());
        let server = Server::start(&disk.data());
        let (served, held) = (answers(&server), counts(&disk.data()));
        let free_before = disk.free_bytes();

        let is_over = AtomicBool::new(false);
        let (code, text) = std::thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut rounds = 0;
                while rounds == 0 || !is_over.load(Ordering::Relaxed) {
                    assert!(answers(&server) == served);
                    rounds += 1;
                }
            });
            let said = disk.run(&["import", &source]);
            is_over.store(true, Ordering::Relaxed);
            reading.join().unwrap();
            said
        });
        assert_eq!(code, 1);
        let (needed, free) = needed_and_free(&text, "about");
        assert!(needed > free && free > free_before - 2 * MIB, "{text}");
        assert!(disk.free_bytes() > free_before - 2 * MIB);
        assert_eq!(counts(&disk.data()), held);
        assert!(answers(&server) == served);
        assert!(server.stop());

        // The same without a server; and with the room that it asked for it completes.
        let (code, text) = disk.run(&["import", &source]);
        assert_eq!(code, 1);
        needed_and_free(&text, "about");
        assert_eq!(counts(&disk.data()), held);
        disk.leave(needed);
        assert_eq!(disk.run(&["import", &source]), (0, String::new()));
        let server = Server::start(&disk.data());
        assert!(answers(&server) == served);
        assert_eq!(
            server.get("/d/8.6.0/epr/noise/noise-1.0.79.zip").status,
            200
        );
    });
}

#[test]
fn a_zip_from_standard_input_takes_no_more_of_the_disk_than_an_import_may() {
    let name = "a_zip_from_standard_input_takes_no_more_of_the_disk_than_an_import_may";
    on_a_small_disk(name, 48, |disk| {
        let first = disk.source("8.5.0.tar", release("8.5.0").tar().bytes());
        assert_eq!(disk.run(&["import", &first]).0, 0);
        let held = counts(&disk.data());
        let free_before = disk.free_bytes();
        let zip = disk.source("8.6.0.zip", large(40, 600 << 10).git_zip().bytes());
        let (least, (code, text)) = disk.least_free_while(|| {
            let input = Stdio::from(File::open(&zip).unwrap());
            disk.run_with_input(&["import", "-"], input)
        });
        assert!(least > RESERVE_BYTES - 2 * MIB, "{least}");
        assert_eq!(code, 1);
        let (needed, free) = needed_and_free(&text, "more than");
        assert!(needed >= free, "{text}");
        assert!(disk.free_bytes() > free_before - MIB);
        assert_eq!(counts(&disk.data()), held);
    });
}

#[test]
fn an_image_that_has_no_room_to_be_copied_is_refused_before_it_is() {
    let name = "an_image_that_has_no_room_to_be_copied_is_refused_before_it_is";
    on_a_small_disk(name, 48, |disk| {
        let first = disk.source("8.5.0.tar", release("8.5.0").tar().bytes());
        assert_eq!(disk.run(&["import", &first]).0, 0);
        let held = counts(&disk.data());
        let free_before = disk.free_bytes();
        let layers = [
            archives::tar().package("packages/nginx/1.5.0"),
            archives::tar().file("packages/noise", noise(24 << 20)),
        ];
        let image = archives::image(archives::ImageForm::DockerOci, &layers).tag("x:9.2.0");
        let compressed = disk.source("image.tar.zst", archives::zst(&image.bytes()));
        let (least, (code, text)) = disk.least_free_while(|| disk.run(&["import", &compressed]));
        assert!(least > free_before - MIB, "{least} of {free_before}");
        assert_eq!(code, 1);
        let (needed, free) = needed_and_free(&text, "more than");
        assert!(needed >= free && needed > 24 << 20, "{text}");
        assert_eq!(counts(&disk.data()), held);
        // As it lies on disk it needs no copy.
        let plain = disk.source("image.tar", image.bytes());
        let (code, text) = disk.run(&["import", &plain]);
        assert_eq!((code, text.as_str()), (0, ""));
    });
}

#[test]
fn a_store_is_served_from_a_disk_without_one_byte_left() {
    let name = "a_store_is_served_from_a_disk_without_one_byte_left";
    on_a_small_disk(name, 80, |disk| {
        let first = disk.source("8.5.0.tar", release("8.5.0").tar().bytes());
        assert_eq!(disk.run(&["import", &first]).0, 0);
        let open_stage = "INSERT INTO source (name) VALUES ('cut');
             INSERT INTO stage (state, started_at, who, source) VALUES ('open', 'then', 'somebody', 1);";
        let database = rusqlite::Connection::open(disk.data().join("airlock.db")).unwrap();
        database.execute_batch(open_stage).unwrap();
        drop(database);
        let served = answers(&Server::start(&disk.data()));
        let add = disk.source(
            "more.tar",
            Tree::default().package("packages/zeek/1.0.0").tar().bytes(),
        );

        for wal_is in ["absent", "left", "left without its index"] {
            if wal_is != "absent" {
                // A server that is killed after a change leaves it in the WAL.
                let server = Server::start(&disk.data());
                let branch = format!("mine-{}", wal_is.len());
                assert_eq!(
                    disk.run(&["import", &add, "--branch", &branch]),
                    (0, String::new())
                );
                drop(server);
                assert!(disk.data().join("airlock.db-wal").metadata().unwrap().len() > 0);
            }
            if wal_is == "left without its index" {
                std::fs::remove_file(disk.data().join("airlock.db-shm")).unwrap();
            }
            disk.fill();
            let server = Server::start(&disk.data());
            assert!(answers(&server) == served, "{wal_is}");
            // What needs room is refused, and harms nothing.
            let (code, text) = disk.run(&["import", &add, "--branch", "too-much"]);
            assert_eq!(code, 1, "{wal_is}: {text}");
            needed_and_free(&text, "more than");
            assert!(answers(&server) == served, "{wal_is}");
            let status = airlock(&disk.data(), &["status"]).output().unwrap();
            assert_eq!(status.status.code(), Some(0), "{wal_is}");
            let status = String::from_utf8(status.stdout).unwrap();
            assert!(status.contains("THE DISK IS FULL"), "{wal_is}: {status}");
            drop(server);
            assert_eq!(disk.run(&["plans", "list"]).0, 0, "{wal_is}");
            disk.empty();
        }
        let server = Server::start(&disk.data());
        assert_eq!(
            disk.run(&["import", &add, "--branch", "again"]),
            (0, String::new())
        );
        assert_eq!(
            server.get("/d/again/search?all=true").packages(),
            ["zeek-1.0.0"]
        );
        assert_eq!(counts(&disk.data())[..3], [0, 0, 0]);
        assert!(answers(&server) == served);
    });
}

#[test]
fn an_import_keeps_the_wal_small_though_a_client_stands_still_in_a_zip() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let import = |name: &str, tree: &Tree, release: &str| {
        let source = folder.path().join(name);
        std::fs::write(&source, tree.tar().bytes()).unwrap();
        let source = source.to_str().unwrap();
        let args = ["import", "--yes", "--release", release, source];
        assert!(airlock(&data, &args).output().unwrap().status.success());
    };
    import("first.tar", &large(1, 16 << 20), "8.5.0");
    let server = Server::start(&data);
    let path = "/epr/noise/noise-1.0.0.zip";
    let whole = server.get(path).body;
    let mut slow = server.ask(path);
    let mut begin = vec![0; 1000];
    slow.read_exact(&mut begin).unwrap();

    // Other bytes than the first: the end of a longer run of them.
    let more = noise(112 << 20).split_off(16 << 20);
    let more = more.chunks(1 << 20).zip(0..);
    let more = more.fold(release("8.6.0"), |tree, (noise, number)| {
        let folder = format!("package-storage-8.6.0/packages/more/1.0.{number}");
        tree.package(&folder)
            .file(&format!("{folder}/img/a.png"), noise)
    });
    import("more.tar", &more, "8.6.0");
    let wal = data.join("airlock.db-wal").metadata().unwrap().len();
    // The file keeps the size that it had at its largest.
    assert!((1..48 * MIB).contains(&wal), "{wal}");
    assert!(data.join("airlock.db").metadata().unwrap().len() > 64 * MIB);
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    assert!([begin, rest].concat().ends_with(&whole));
}

#[test]
fn a_write_that_meets_the_end_of_the_disk_changes_nothing_and_reads_go_on() {
    let name = "a_write_that_meets_the_end_of_the_disk_changes_nothing_and_reads_go_on";
    on_a_small_disk(name, 40, |disk| {
        let store = Store::open(&disk.data()).unwrap();
        let add = |conn: &rusqlite::Transaction<'_>| {
            let add = "INSERT INTO path (text) VALUES (hex(randomblob(1000000)))";
            Ok::<_, StoreError>(conn.execute(add, [])?)
        };
        let count = || -> i64 {
            let count = |conn: &rusqlite::Connection| {
                Ok::<_, StoreError>(
                    conn.query_row("SELECT count(*) FROM path", [], |row| row.get(0))?,
                )
            };
            store.read(count).unwrap()
        };
        store.write(add).unwrap();
        disk.fill();
        assert!(matches!(store.write(add), Err(StoreError::Full(_))));
        assert!(matches!(
            store.write_within_space(add),
            Err(StoreError::Short { free_bytes: 0, .. })
        ));
        assert_eq!(count(), 1);
        disk.empty();
        store.write(add).unwrap();
        assert_eq!(count(), 2);
    });
}
