//! One package from a tar to the store: read, hashed, rendered, deflated, laid out, written.

use divan::Bencher;
use divan::counter::BytesCount;

#[path = "../tests/support/mod.rs"]
mod support;

use airlock::distribution::BranchKind;
use support::packages::tar_of;
use support::{TestRegistry, package};

fn main() {
    divan::main();
}

/// Imports a package of `files` different texts of 20 kB into an empty store, up to its synced commit.
#[divan::bench(args = [1, 10, 100], sample_count = 20)]
fn import_package(bencher: Bencher, files: usize) {
    let mut lighthouse = package("lighthouse", "1.0.0");
    for number in 0..files {
        lighthouse = lighthouse.with_file(&format!("kibana/dashboard/{number}.json"), text(number));
    }
    let tar = tar_of([lighthouse]).bytes();
    bencher
        .counter(BytesCount::new(tar.len()))
        .with_inputs(TestRegistry::empty)
        .bench_values(|registry| {
            registry.commit(support::RELEASE, BranchKind::Release, &tar);
            registry
        });
}

/// Imports it where the store has it already, for another release: read and hashed, nothing written but its membership.
#[divan::bench(sample_count = 20)]
fn import_known_package(bencher: Bencher) {
    let lighthouse = package("lighthouse", "1.0.0").with_file("docs/large.md", text(0).repeat(50));
    let tar = tar_of([lighthouse]).bytes();
    bencher
        .counter(BytesCount::new(tar.len()))
        .with_inputs(|| {
            let registry = TestRegistry::empty();
            registry.commit(support::RELEASE, BranchKind::Release, &tar);
            registry
        })
        .bench_values(|registry| {
            registry.commit("9.3.0", BranchKind::Release, &tar);
            registry
        });
}

/// Returns some 20 kB of JSON, another for each number, that deflates about as a dashboard does.
fn text(number: usize) -> String {
    let mut state = number as u64 + 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{{\"id\":\"{state:016x}\",\"type\":\"lens\",\"title\":\"Watch book\"}},\n")
    })
    .take(350)
    .collect()
}
