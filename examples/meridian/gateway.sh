# shellcheck shell=bash
# The demo's gateway: certificates, configuration, the database role, start and stop.
# Needs lib.sh. One state a story: each `./demo` starts with an empty ledger.

service_role=cofferdam_service contact_role=cofferdam_contact
gateway_running() { alive "$home/gateway/pid" cofferdam; }
gateway_port() { sed -n 's/.*event=listening.*\bport=\([0-9]*\).*/\1/p' "$home/gateway/log" 2>/dev/null | head -n 1; }
# It listens, or its process is gone (which, before it has become the gateway, has another name).
gateway_settled() { [ -n "$(gateway_port)" ] || ! kill -0 "$(cat "$home/gateway/pid")" 2>/dev/null; }

# cofferdam VERB…: the program, with the demo's configuration, as its operator calls it.
cofferdam() { "$home/gateway/cofferdam" "$@" -c "$home/gateway/cofferdam.yaml"; }
# operator VERB…: shown, then run.
operator() {
    show meridian cofferdam "$@"
    cofferdam "$@"
}

# free_port PORT…: the first of them that nobody listens on. Some servers start long after their port was chosen, and
# another demo may run: they are drawn by lot.
free_port() {
    local port
    for port; do
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
    local folder=$home/gateway
    rm -rf "$folder" "$home/ca" "$home/kits" "$home/winter.csv" "$home/letters.csv" "$home/never.txt"
    folder "$gateway_user" "$folder"
    folder "$gateway_user" "$folder/state" 700
    folder "$gateway_user" "$folder/run"
    folder "$gateway_user" "$folder/secrets" 755
    cp "$program" "$folder/cofferdam"

    quietly "$program" cert ca --out "$home/ca" --unsealed
    quietly "$program" cert server --ca "$home/ca" --dns localhost --ip 127.0.0.1 --out "$folder"
    cp "$home/ca/ca.crt" "$folder/ca.crt"
    hand_over "$folder/server.key"

    rm -rf "$home/data"
    cp -r share "$home/data"
    cp "${policy:-examples/meridian/policy.yaml}" "$folder/policy.yaml"
    secret upstream contact mail
    sed -e "s|@port@|$(free_port 7432 $(shuf -i 16000-17999 -n 50))|; s|@upstream_host@|$home/pg|; s|@upstream_port@|$database_port|" \
        -e "s|@data_folder@|$home/data|; s|@mail_port@|$(free_port $(shuf -i 18000-19999 -n 50))|; s|@bounce_folder@|$home/mail/bounces|" \
        -e "s|@mail_sink@|${mail_sink:-false}|" \
        examples/meridian/cofferdam.yaml.in >"$folder/cofferdam.yaml"
    role "$service_role" upstream
    cofferdam grants | psql -Xq -v ON_ERROR_STOP=1 -d "$(database_url)" >/dev/null
    role "$contact_role" contact
    cofferdam grants --contact | psql -Xq -v ON_ERROR_STOP=1 -d "$(database_url)" >/dev/null
}

# secret NAME…: a random password in a file that only the service may read.
secret() {
    local name
    for name; do
        openssl rand -hex 16 >"$home/gateway/secrets/$name.password"
        hand_over "$home/gateway/secrets/$name.password"
    done
}
# role NAME SECRET: a login without any rights: `cofferdam grants` prints those that it needs.
role() {
    psql -Xq -v ON_ERROR_STOP=1 -d "$(database_url)" >/dev/null <<SQL
SELECT 'DROP OWNED BY $1; DROP ROLE $1' WHERE to_regrole('$1') IS NOT NULL \gexec
CREATE ROLE $1 LOGIN PASSWORD '$(cat "$home/gateway/secrets/$2.password")';
SQL
}

gateway_start() {
    local folder=$home/gateway
    : >"$folder/log"
    background "$gateway_user" "$folder" "$folder/cofferdam" gateway -c "$folder/cofferdam.yaml"
    wait_for 30 gateway_settled && [ -n "$(gateway_port)" ] ||
        { tail -n 5 "$folder/log" >&2; fail "the gateway did not start"; }
}

gateway_stop() {
    gateway_running || return 0
    kill "$(cat "$home/gateway/pid")"
    wait_for 20 eval '! gateway_running' || fail "the gateway did not stop; see $home/gateway/log"
}
