//! Killed at a random moment of an import, the store opens, is sound, serves what it served, and takes the import whole.
//!
//! The program says in its log which phase it is in (`RUST_LOG=debug`). A killer waits for the beginning of the phase it
//! wants, then for a random part of the time that the phase took undisturbed; where the blow fell is told by the last
//! that was said. The seed is printed; `AIRLOCK_TEST_SEED` repeats a run as far as the machine lets it.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

#[path = "support/archives.rs"]
mod archives;
#[path = "support/child.rs"]
mod child;
#[path = "support/trees.rs"]
mod trees;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use airlock::store::Store;
use child::{Answer, Server, airlock, answers, counts};
use trees::{Tree, noise, release};

/// Kills that count.
const KILLS: usize = 100;
/// What each phase gets of them at least.
const KILLS_A_PHASE: usize = 10;
/// Kills tried before a phase that was not hit often enough fails the test: the short ones are sometimes over too soon.
const TRIES: usize = 400;
const PHASES: [&str; 4] = ["stage", "plan", "commit", "checkpoint"];

/// A phase that begins or ends, as the log says it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    phase: &'static str,
    is_begin: bool,
}

/// Reads a line of the log; `None` where it speaks of no phase.
fn step(line: &str) -> Option<Step> {
    let phase = PHASES
        .into_iter()
        .find(|phase| line.contains(&format!("phase=\"{phase}\"")))?;
    let begins = ["reading", "comparing", "changing", "moving"];
    Some(Step {
        phase,
        is_begin: begins.iter().any(|word| line.contains(word)),
    })
}

/// The random numbers of a run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn of_this_run() -> Self {
        let seed = match std::env::var("AIRLOCK_TEST_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => jiff::Timestamp::now().as_nanosecond() as u64,
        };
        println!("AIRLOCK_TEST_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Returns a part of `whole`.
    fn part_of(&mut self, whole: Duration) -> Duration {
        whole.mul_f64((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// The sources and the stores that runs begin with.
struct Bench {
    folder: tempfile::TempDir,
    source: String,
}

impl Bench {
    /// Makes a store that serves 8.5.0, and one that has stored, but does not offer, what is imported into it.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let first = write("8.5.0.tar", release("8.5.0").tar().bytes());
        let source = write("8.6.0.tar", large().tar().bytes());
        let bench = Self { folder, source };
        run(&bench.path("served"), &["import", &first]);
        bench.copy("served", "known");
        run(
            &bench.path("known"),
            &["import", &bench.source, "--dry-run"],
        );
        bench.copy("served", "whole");
        run(&bench.path("whole"), &["import", &bench.source]);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn copy(&self, from: &str, to: &str) {
        let (from, to) = (self.path(from), self.path(to));
        let _ = std::fs::remove_dir_all(&to);
        std::fs::create_dir(&to).unwrap();
        std::fs::copy(from.join("airlock.db"), to.join("airlock.db")).unwrap();
    }
}

/// Returns a release of our own: the sample's packages, many small ones, and some whose bytes fill the WAL.
fn large() -> Tree {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    let mut tree = release("8.6.0");
    for path in files_of(&sample.join("packages")) {
        let inside = path.strip_prefix(&sample).unwrap().to_str().unwrap();
        let inside = format!("package-storage-8.6.0/{inside}");
        tree = tree.file(&inside, std::fs::read(&path).unwrap());
    }
    let noise = noise(40 << 20);
    let zip = noise.chunks(512 << 10).zip(0..);
    let tree = zip.fold(tree, |tree, (noise, number)| {
        let folder = format!("package-storage-8.6.0/packages/noise/1.0.{number}");
        tree.package(&folder)
            .file(&format!("{folder}/img/noise.png"), noise)
    });
    (0..60).fold(tree, |tree, number| {
        tree.package(&format!("package-storage-8.6.0/packages/zeek/1.0.{number}"))
    })
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_of(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Runs a command to its end, which must be a good one.
fn run(data: &Path, args: &[&str]) {
    let output = airlock(data, args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {text}");
}

/// An import under way, in a process of its own or in a server, and what its process says.
struct Import {
    /// The process that has the store.
    owner: Child,
    /// The client of a server.
    client: Option<Child>,
    steps: Receiver<Step>,
}

impl Import {
    fn alone(data: &Path, source: &str) -> Self {
        let mut command = airlock(data, &["import", "--yes", source]);
        command
            .env("RUST_LOG", "debug")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut owner = command.spawn().unwrap();
        let log = BufReader::new(owner.stderr.take().unwrap());
        let (sender, steps) = channel();
        std::thread::spawn(move || {
            for line in log.lines() {
                step(&line.unwrap_or_default()).map(|step| sender.send(step));
            }
        });
        Self {
            owner,
            client: None,
            steps,
        }
    }

    fn served(data: &Path, source: &str) -> Self {
        let (sender, steps) = channel();
        let server = Server::start_with(data, "debug", move |line| {
            step(line).map(|step| sender.send(step));
        });
        let mut command = airlock(data, &["import", "--yes", source]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self {
            client: Some(command.spawn().unwrap()),
            owner: server.into_child(),
            steps,
        }
    }

    /// Kills the owner `after` the beginning of `phase` and returns the phase in which it died: none where it had ended,
    /// or was between two.
    fn kill(mut self, phase: &str, after: Duration) -> Option<&'static str> {
        let mut open = Vec::new();
        let mut take = |step: Step| {
            if step.is_begin {
                open.push(step.phase);
            } else {
                open.retain(|phase| *phase != step.phase);
            }
        };
        let mut until = None;
        loop {
            let patience = until.map_or(Duration::from_secs(60), |until: Instant| {
                until.saturating_duration_since(Instant::now())
            });
            match self.steps.recv_timeout(patience) {
                Ok(step) => {
                    if step.is_begin && step.phase == phase && until.is_none() {
                        until = Some(Instant::now() + after);
                    }
                    take(step);
                }
                Err(RecvTimeoutError::Timeout) => {
                    assert!(until.is_some(), "the phase {phase} never began");
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.owner.kill().unwrap();
        let has_died = !self.owner.wait().unwrap().success();
        if let Some(client) = &mut self.client {
            client.wait().unwrap();
        }
        self.steps.iter().for_each(take);
        // A checkpoint is inside another phase, and is what was going on.
        has_died.then(|| open.pop()).flatten()
    }
}

/// Returns how long each phase takes on this machine, the checkpoint of the first time it begins.
fn lengths(bench: &Bench) -> BTreeMap<&'static str, Duration> {
    bench.copy("served", "run");
    let import = Import::alone(&bench.path("run"), &bench.source);
    let mut begun = BTreeMap::new();
    let mut lengths = BTreeMap::new();
    for step in &import.steps {
        if step.is_begin {
            begun.insert(step.phase, Instant::now());
        } else {
            let length = begun[step.phase].elapsed();
            lengths.entry(step.phase).or_insert(length);
        }
    }
    let mut owner = import.owner;
    assert!(owner.wait().unwrap().success());
    assert_eq!(lengths.len(), PHASES.len(), "{lengths:?}");
    lengths
}

#[test]
fn killed_at_a_hundred_random_moments_a_store_serves_on_and_takes_the_import_whole() {
    let mut random = Random::of_this_run();
    let bench = Bench::new();
    let served = answers(&Server::start(&bench.path("served")));
    let whole = Served::of(&bench.path("whole"));
    let lengths = lengths(&bench);
    println!("undisturbed: {lengths:?}");

    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for killer in ["one", "other"] {
            let mut random = Random(random.next());
            let (bench, served, whole, lengths, tally) =
                (&bench, &served, &whole, &lengths, &tally);
            scope.spawn(move || {
                loop {
                    let wanted = tally.lock().unwrap().wanted();
                    let Some(phase) = wanted else { break };
                    // What is known already is not written again: no checkpoint then, and the later phases begin soon.
                    let is_known = matches!(phase, "plan" | "commit");
                    bench.copy(if is_known { "known" } else { "served" }, killer);
                    let data = bench.path(killer);
                    let import = if random.below(5) == 0 {
                        Import::served(&data, &bench.source)
                    } else {
                        Import::alone(&data, &bench.source)
                    };
                    let after = random.part_of(lengths[phase]);
                    let Some(hit) = import.kill(phase, after) else {
                        continue;
                    };
                    let context = format!("{after:?} into {phase}, hit {hit}");
                    check(bench, &data, served, whole, random.below(4) == 0, &context);
                    *tally.lock().unwrap().hits.entry(hit).or_default() += 1;
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("{tally:?}");
    assert!(tally.is_enough(), "{tally:?}");
}

/// Steps of a promotion as the log says them, the last one once it is on disk.
const STEPS: [&str; 5] = ["comparing", "adding", "removing", "committing", "on disk"];

#[test]
fn a_promotion_killed_at_each_step_leaves_the_version_available() {
    let bench = tempfile::tempdir().unwrap();
    let (fresh, data) = (bench.path().join("fresh"), bench.path().join("data"));
    for (branch, version) in [("production", "1.0.0"), ("staging", "2.0.0")] {
        let source = bench.path().join("source.tar");
        let tree = Tree::default().package(&format!("packages/buoy/{version}"));
        std::fs::write(&source, tree.tar().bytes()).unwrap();
        run(
            &fresh,
            &["import", source.to_str().unwrap(), "--branch", branch],
        );
    }
    let mut outcomes = BTreeMap::new();
    for (number, step) in STEPS.iter().enumerate() {
        for is_served in [false, true, false] {
            let _ = std::fs::remove_dir_all(&data);
            std::fs::create_dir(&data).unwrap();
            std::fs::copy(fresh.join("airlock.db"), data.join("airlock.db")).unwrap();
            kill_promotion(&data, step, is_served);

            let context = format!("killed at {step}");
            let server = Server::start(&data);
            for address in ["/d/staging", "/d/production"] {
                let found = server.get(&format!("{address}/search?all=true")).packages();
                let has = |package: &str| found.iter().any(|it| it == package);
                assert!(has("buoy-1.0.0"), "{context}");
                if address == "/d/staging" {
                    assert!(has("buoy-2.0.0"), "{context}: it is in neither branch");
                } else {
                    outcomes.insert((number, has("buoy-2.0.0")), context.clone());
                }
            }
            let zip = server.get("/d/staging/epr/buoy/buoy-2.0.0.zip");
            assert_eq!(zip.status, 200, "{context}");
            // What was begun is done by asking for it again.
            drop(server);
            let again = airlock(&data, &["promote", "buoy", "2.0.0"])
                .status()
                .unwrap();
            let is_done = outcomes.contains_key(&(number, true));
            assert!(again.success() || is_done, "{context}");
        }
    }
    // Before anything was written nothing is done, and what is said to be on disk is.
    assert!(
        !outcomes.contains_key(&(STEPS.len() - 1, false)),
        "{outcomes:?}"
    );
    assert!(
        outcomes.keys().any(|(_, is_promoted)| !is_promoted),
        "{outcomes:?}"
    );
}

/// Promotes, and kills the process that has the store as soon as it says that it is at `step`.
fn kill_promotion(data: &Path, step: &str, is_served: bool) {
    let promote = ["promote", "buoy", "2.0.0"];
    let is_there =
        |line: &str, step: &str| line.contains("phase=\"promote\"") && line.contains(step);
    if is_served {
        let (sender, steps) = channel();
        let wanted = step.to_owned();
        let server = Server::start_with(data, "debug", move |line| {
            if is_there(line, &wanted) {
                let _ = sender.send(());
            }
        });
        let mut command = airlock(data, &promote);
        let mut client = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        steps.recv_timeout(Duration::from_secs(60)).unwrap();
        let mut owner = server.into_child();
        owner.kill().unwrap();
        owner.wait().unwrap();
        client.wait().unwrap();
    } else {
        let mut command = airlock(data, &promote);
        command
            .env("RUST_LOG", "debug")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut owner = command.spawn().unwrap();
        let mut log = BufReader::new(owner.stderr.take().unwrap()).lines();
        assert!(
            log.any(|line| is_there(&line.unwrap(), step)),
            "it never said {step}"
        );
        owner.kill().unwrap();
        owner.wait().unwrap();
    }
}

/// The kills so far.
#[derive(Debug, Default)]
struct Tally {
    hits: BTreeMap<&'static str, usize>,
    tries: usize,
}

impl Tally {
    fn hits(&self, phase: &str) -> usize {
        self.hits.get(phase).copied().unwrap_or_default()
    }

    fn is_enough(&self) -> bool {
        let kills: usize = self.hits.values().sum();
        kills >= KILLS && PHASES.iter().all(|phase| self.hits(phase) >= KILLS_A_PHASE)
    }

    /// Returns the phase to hit next, the one that was hit least, so that the hundred are spread over all; `None` once
    /// there are enough, or too many tries.
    fn wanted(&mut self) -> Option<&'static str> {
        self.tries += 1;
        let is_over = self.is_enough() || self.tries > TRIES;
        let least = PHASES.into_iter().min_by_key(|phase| self.hits(phase));
        least.filter(|_| !is_over)
    }
}

/// All that a store serves at `/`, and at the address of the release that is imported.
struct Served {
    default: BTreeMap<String, Answer>,
    release: Answer,
    zips: BTreeMap<String, Answer>,
}

impl Served {
    fn of(data: &Path) -> Self {
        let server = Server::start(data);
        let release = server.get("/d/8.6.0/search?all=true&prerelease=true");
        let zips = match release.status {
            200 => release.packages(),
            _ => Vec::new(),
        };
        let zip = |package: String| {
            let name = package.split_once('-').unwrap().0;
            let path = format!("/d/8.6.0/epr/{name}/{package}.zip");
            let answer = server.get(&path);
            (path, answer)
        };
        Self {
            zips: zips.into_iter().map(zip).collect(),
            default: answers(&server),
            release,
        }
    }
}

/// Checks a store whose process was killed; `is_finished` has the import run again, to its end.
fn check(
    bench: &Bench,
    data: &Path,
    served: &BTreeMap<String, Answer>,
    whole: &Served,
    is_finished: bool,
    context: &str,
) {
    drop(Store::open(data).unwrap_or_else(|error| panic!("{context}: {error}")));
    let database = rusqlite::Connection::open(data.join("airlock.db")).unwrap();
    let is_sound: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(is_sound, "ok", "{context}");
    drop(database);
    let [stages, staged, streams, artifacts, ..] = counts(data);
    assert_eq!(
        (streams, artifacts),
        (0, 0),
        "{context}: something is unfinished"
    );
    // A source that was read to its end waits as a plan; one that was not has left nothing.
    assert!(stages <= 1 && (stages == 1) == (staged > 0), "{context}");
    let files: Vec<_> = std::fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["airlock.db", "airlock.lock", "control.sock"].contains(&name.as_str()))
        .collect();
    assert_eq!(files, [""; 0], "{context}");

    let found = Served::of(data);
    assert!(
        found.default == *served,
        "{context}: what was served is not"
    );
    let is_committed = found.release.status == 200;
    if is_committed {
        assert!(found.release == whole.release, "{context}: half is offered");
    } else {
        assert_eq!(found.release.status, 404, "{context}");
    }
    if is_finished {
        run(data, &["import", "--yes", &bench.source]);
        let found = Served::of(data);
        assert!(found.default == *served, "{context}");
        assert!(found.release == whole.release, "{context}");
        assert!(
            found.zips == whole.zips && !found.zips.is_empty(),
            "{context}"
        );
        // But for plans that waited, and what had come in when the killed import was run, it is what it would have been.
        let [_, _, streams, artifacts, _, all, contents, chunks, changes] = counts(data);
        let undisturbed = counts(&bench.path("whole"));
        assert_eq!((streams, artifacts), (0, 0), "{context}");
        assert_eq!(
            [all, contents, chunks, changes],
            undisturbed[5..],
            "{context}"
        );
    }
}
