#!/usr/bin/env bash
# Imports the given archives, serves them, and replays every recording of the newest dialect against the server, plain
# and with gzip. Fails on the first recording with a difference.
#
# usage: tests/replay.sh [BINARY]     without BINARY: builds and takes the one of the dev profile
#
# The recordings and archives lie where AIRLOCK_SHARED says (default: ../shared beside the checkout). Needs python3
# (3.11 or later), zstd and tar. Listens on 127.0.0.1, at a port the system chooses.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=${AIRLOCK_SHARED:-$checkout/../shared}
recordings=$shared/conformance
if ! [ -f "$recordings/replay.py" ]; then
    echo "no recordings at $shared: set AIRLOCK_SHARED" >&2
    exit 1
fi
if [ $# -gt 0 ]; then
    binary=$(realpath "$1")
else
    cargo build --manifest-path "$checkout/Cargo.toml"
    binary=${CARGO_TARGET_DIR:-$checkout/target}/debug/airlock
fi

work=$(mktemp -d)
server=
clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT

airlock() { "$binary" --data-dir "$work/store" "$@"; }

# The first release imported is what / serves: the smaller one, as it is replayed there once more.
airlock import "$shared/data/package-storage-7.9.0.tar.zst" --yes
airlock import "$shared/data/package-storage-8.5.0.tar.zst" --yes

# Not through the function: the process to stop is the server, not a shell around it.
AIRLOCK_LOG_FORMAT=text "$binary" --data-dir "$work/store" serve --listen 127.0.0.1:0 2>"$work/log" &
server=$!
address=
for _ in $(seq 100); do
    address=$(sed -n 's/.* address=\([^ ]*\).*/\1/p' "$work/log")
    [ -z "$address" ] || break
    sleep 0.1
done
if [ -z "$address" ]; then
    echo "the server did not start:" >&2
    cat "$work/log" >&2
    exit 1
fi

# These go through control.sock.
mkdir "$work/fixtures"
zstd -dqc --long=31 "$shared/data/fixtures.tar.zst" | tar -C "$work/fixtures" -xf -
airlock import "$work/fixtures/corners" --branch corners --yes
airlock import "$work/fixtures/package" --branch package --yes
airlock import "$work/fixtures/second_package_path" --branch second_package_path --yes
airlock distribution create fixtures-trees --from package --with second_package_path
# What lies beside its zip is no signature, and is served all the same.
airlock import "$work/fixtures/local-storage" --branch local-storage --signatures off --yes
airlock distribution create fixtures --from package --with local-storage --with second_package_path
# The same release as zips answers in the same way.
zstd -dqc --long=31 "$shared/data/package-storage-8.5.0.tar.zst" | python3 "$checkout/tests/zips_of_trees.py" |
    airlock --quiet import - --branch zips

replay() {
    local path=$1 recording=$2 begun=$SECONDS
    shift 2
    printf '%s%s against %s: ' "$recording" "${*:+ $*}" "$path"
    if ! python3 "$recordings/replay.py" "http://$address$path" "$recordings/$recording.tar.zst" "$@" >"$work/result"; then
        echo FAILED
        cat "$work/result"
        exit 1
    fi
    echo "$(tail -n 1 "$work/result"), $((SECONDS - begun)) s"
}

for coding in "" --gzip; do
    # Without quotes: nothing is no argument.
    replay / 7.9.0 $coding
    replay /d/7.9.0 7.9.0 $coding
    replay /d/fixtures-trees fixtures-trees $coding
    replay /d/fixtures fixtures $coding
    replay /d/corners corners $coding
    replay /d/8.5.0 8.5.0 $coding
done
replay /d/zips 8.5.0

kill "$server"
if ! wait "$server"; then
    echo "the server did not end well:" >&2
    tail -n 5 "$work/log" >&2
    exit 1
fi
server=
if grep -q '"level":"ERROR"' "$work/log"; then
    echo "the server met errors of its own:" >&2
    grep '"level":"ERROR"' "$work/log" | head -n 5 >&2
    exit 1
fi
echo "replayed all recordings without a difference"
