#!/usr/bin/env bash
# Replays recordings of the newest dialect over TLS, through a forwarder that speaks plain HTTP to the client and believes
# the server by its authority alone. The certificate is changed while it replays. Fails on the first difference.
#
# usage: tests/replay_tls.sh BINARY [RECORDING…]     RECORDING: 7.9.0, 8.5.0 or fixtures-trees; without any: 7.9.0
#
# The recordings and archives lie where AIRLOCK_SHARED says (default: ../shared beside the checkout). Needs python3 with
# its ssl module, zstd and tar. Listens on 127.0.0.1, at ports the system chooses.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=${AIRLOCK_SHARED:-$checkout/../shared}
binary=$(realpath "$1")
shift
[ $# -gt 0 ] || set -- 7.9.0

work=$(mktemp -d)
server= forwarder= changing=
clean_up() {
    for process in $changing $forwarder $server; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

# No settings but these.
export AIRLOCK_CONFIG="$work/airlock.toml" AIRLOCK_DATA_DIR="$work/store"
cat >"$AIRLOCK_CONFIG" <<EOF
[tls]
certificate = "$work/tls/certificate.pem"
key = "$work/tls/key.pem"
EOF
for recording in "$@"; do
    case $recording in
    fixtures-trees)
        mkdir "$work/fixtures"
        zstd -dqc --long=31 "$shared/data/fixtures.tar.zst" | tar -C "$work/fixtures" -xf -
        "$binary" --quiet import "$work/fixtures/package" --branch package --yes
        "$binary" --quiet import "$work/fixtures/second_package_path" --branch second_package_path --yes
        "$binary" distribution create fixtures-trees --from package --with second_package_path
        ;;
    *) "$binary" --quiet import "$shared/data/package-storage-$recording.tar.zst" --yes ;;
    esac
done
"$binary" --quiet tls init --name localhost

# Waits for a line of a log that fits, and prints what stands in it.
found() {
    local what
    for _ in $(seq 200); do
        what=$(sed -n "$1" "$2")
        [ -z "$what" ] || { echo "$what" && return; }
        sleep 0.1
    done
    echo "it did not start:" >&2
    cat "$2" >&2
    return 1
}
AIRLOCK_LOG_FORMAT=text "$binary" serve --listen 127.0.0.1:0 2>"$work/log" &
server=$!
address=$(found 's/.* address=\([^ ]*\).*/\1/p' "$work/log")
python3 "$checkout/tests/tls_forwarder.py" "$address" "$work/tls/ca.pem" >"$work/port" 2>"$work/forwarder" &
forwarder=$!
port=$(found '/./p' "$work/port")

# Another certificate of the same authority, every two seconds.
(while sleep 2; do "$binary" --quiet tls init --name localhost; done) &
changing=$!

for recording in "$@"; do
    printf '%s over TLS: ' "$recording"
    if ! python3 "$shared/conformance/replay.py" "http://127.0.0.1:$port/d/$recording" \
        "$shared/conformance/$recording.tar.zst" >"$work/result"; then
        echo FAILED
        cat "$work/result" "$work/forwarder"
        exit 1
    fi
    tail -n 1 "$work/result"
done
