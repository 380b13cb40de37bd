# Sourced by scripts that need a gateway of their own: `start_gateway PROGRAM` starts one on a temporary state and waits
# until it listens; whatever ends the script ends the gateway and deletes its files. Sets $work, $state and $up (its
# process), and `endpoint NAME` tells where it listens: tls, http, admin or http01_port.

start_gateway() {
    work=$(mktemp -d /tmp/gatehouse-script.XXXXXX)
    state=$work/state
    # The unprivileged user that the gateway becomes must get to its state.
    chmod 755 "$work"
    "$1" up --state "$state" --tls-port 0 --http-port 0 --admin-port 0 --http01-port 0 --tls-alpn01-port 0 \
        >"$work/up.out" 2>"$work/up.log" &
    up=$!
    trap end_gateway EXIT
    for _ in $(seq 300); do
        [ -s "$state/run/endpoints.json" ] && break
        kill -0 "$up" || exit 1
        sleep 0.1
    done
    cp "$state/pki/root.pem" "$work/root.pem"
}

end_gateway() {
    local status=$?
    kill -INT "$up" 2>/dev/null || true
    wait "$up" 2>/dev/null || true
    [ "$status" = 0 ] || { cat "$work/up.out"; tail -n 20 "$work/up.log"; } >&2
    rm -rf "$(readlink -f "$state")" "$work"
    exit "$status"
}

endpoint() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <"$state/run/endpoints.json"; }
