# shellcheck shell=bash
# The demo's gateway: certificates, configuration, the database role, start and stop.
# Needs lib.sh. One state a story: each `./demo` starts with an empty ledger.

service_role=cofferdam_service
gateway_running() { alive "$home/gateway/pid" cofferdam; }
gateway_port() { sed -n 's/.*event=listening.*\bport=\([0-9]*\).*/\1/p' "$home/gateway/log" 2>/dev/null | head -n 1; }
# It listens, or its process is gone (which, before it has become the gateway, has another name).
gateway_settled() { [ -n "$(gateway_port)" ] || ! kill -0 "$(cat "$home/gateway/pid")" 2>/dev/null; }

# cofferdam VERB…: the program, with the demo's configuration, as its operator calls it.
cofferdam() { "$home/gateway/cofferdam" "$@" -c "$home/gateway/cofferdam.yaml"; }

# A port that nobody listens on: the usual one if it is free.
free_port() {
    local port
    for port in 7432 $(seq 17432 17482); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    fail "no free port found"
}

# Files that only the gateway may read: keys and passwords.
hand_over() {
    chmod 600 "$@"
    [ "$(id -u)" -ne 0 ] || chown "$gateway_user" "$@"
}

gateway_prepare() {
    local folder=$home/gateway password
    rm -rf "$folder" "$home/ca" "$home/kits"
    folder "$gateway_user" "$folder"
    folder "$gateway_user" "$folder/state" 700
    folder "$gateway_user" "$folder/run"
    folder "$gateway_user" "$folder/secrets" 755
    cp "$program" "$folder/cofferdam"

    quietly "$program" cert ca --out "$home/ca"
    quietly "$program" cert server --ca "$home/ca" --dns localhost --ip 127.0.0.1 --out "$folder"
    cp "$home/ca/ca.crt" "$folder/ca.crt"
    hand_over "$folder/server.key"

    password=$(openssl rand -hex 16)
    printf '%s\n' "$password" >"$folder/secrets/upstream.password"
    hand_over "$folder/secrets/upstream.password"
    cp examples/meridian/policy.yaml "$folder/policy.yaml"
    sed -e "s|@port@|$(free_port)|; s|@upstream_host@|$home/pg|; s|@upstream_port@|$database_port|" \
        examples/meridian/cofferdam.yaml.in >"$folder/cofferdam.yaml"

    # The role that the gateway logs in as may do what `cofferdam grants` prints, and nothing else.
    psql -Xq -v ON_ERROR_STOP=1 -d "$(database_url)" >/dev/null <<SQL
SELECT 'DROP OWNED BY $service_role; DROP ROLE $service_role' WHERE to_regrole('$service_role') IS NOT NULL \gexec
CREATE ROLE $service_role LOGIN PASSWORD '$password';
SQL
    cofferdam grants | psql -Xq -v ON_ERROR_STOP=1 -d "$(database_url)" >/dev/null
}

gateway_start() {
    local folder=$home/gateway
    : >"$folder/log"
    (
        cd /
        if [ "$(id -u)" -eq 0 ]; then
            exec setsid setpriv --reuid="$gateway_user" --regid="$(id -g "$gateway_user")" --clear-groups --no-new-privs \
                "$folder/cofferdam" gateway -c "$folder/cofferdam.yaml" </dev/null >>"$folder/log" 2>&1
        fi
        exec setsid "$folder/cofferdam" gateway -c "$folder/cofferdam.yaml" </dev/null >>"$folder/log" 2>&1
    ) &
    echo $! >"$folder/pid"
    disown
    wait_for 30 gateway_settled && [ -n "$(gateway_port)" ] ||
        { tail -n 5 "$folder/log" >&2; fail "the gateway did not start"; }
}

gateway_stop() {
    gateway_running || return 0
    kill "$(cat "$home/gateway/pid")"
    wait_for 20 eval '! gateway_running' || fail "the gateway did not stop; see $home/gateway/log"
}
