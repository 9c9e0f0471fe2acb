# shellcheck shell=bash
# What ./demo is made of: words on the terminal, servers as unprivileged users, their life by pid.
# Everything lives under $home: $place (build/demo), or a temporary folder where the servers' users
# cannot reach the checkout. $place/folder says which.

# ---- words ----
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' blue=$'\e[34m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' blue='' plain=''
fi
say() { printf '%s\n' "$*"; }
step() { printf '%s· %s%s\n' "$dim" "$*" "$plain"; }
fail() { printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2; exit 1; }
# chapter TITLE SENTENCE…: a heading, and what a company that is breached gains by it.
chapter() {
    printf '\n%s━━ %s %s\n' "$bold$blue" "$1" "$plain"
    shift
    printf '%s\n' "$*" | fold -s -w 96
}

# show WHO COMMAND…: prints a command as it would be typed.
show() {
    local who=$1 word line=''
    shift
    if [ $# -eq 1 ]; then # a line as it stands
        printf '\n%s%s$%s %s%s\n' "$green" "$who" "$plain$bold" "$1" "$plain"
        return
    fi
    for word in "$@"; do
        case $word in *[!A-Za-z0-9_.,:/=@%+-]*) word="\"$word\"" ;; esac
        line+=" $word"
    done
    printf '\n%s%s$%s%s%s\n' "$green" "$who" "$plain$bold" "$line" "$plain"
}
paint() { sed -e "s/^\(.*\(ERROR\|FATAL\):.*\)$/$red\1$plain/; s/^\(HINT:.*\)$/$bold\1$plain/"; }

# quietly COMMAND…: its words are shown only if it fails.
quietly() {
    "$@" >"$home/log" 2>&1 || { cat "$home/log" >&2; fail "$1 $2 failed"; }
}

# ---- places and users ----
# servant NAME: the user a server runs as; ourselves unless we are root.
servant() {
    if [ "$(id -u)" -ne 0 ]; then id -un; elif id "$1" >/dev/null 2>&1; then echo "$1"; else echo nobody; fi
}
# as USER COMMAND…: runs it with that user's rights and no others, from a folder that all can reach.
as() {
    local user=$1
    shift
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --no-new-privs env HOME=/ "$@")
    else
        (cd / && exec "$@")
    fi
}
# A socket's path may have 107 bytes; paths go into connection strings unquoted.
reachable() {
    [ ${#1} -lt 70 ] && [[ $1 =~ ^[A-Za-z0-9_./+-]+$ ]] && as "$database_user" test -x "$1" && as "$gateway_user" test -x "$1"
}
choose_home() {
    mkdir -p "$place"
    if [ -f "$place/folder" ] && [ -d "$(cat "$place/folder")" ]; then
        home=$(cat "$place/folder")
    else
        home=$(readlink -f "$place")
        if ! reachable "$home"; then
            home=$(mktemp -d /tmp/cofferdam-demo.XXXXXX)
            chmod 755 "$home"
        fi
        echo "$home" >"$place/folder"
    fi
}
# folder USER PATH: makes it, for that user alone to write.
folder() {
    mkdir -p "$2"
    [ "$(id -u)" -ne 0 ] || chown "$1" "$2"
    chmod "${3:-755}" "$2"
}

# ---- processes ----
# alive PIDFILE PROGRAM: does that process run, and is it still ours?
alive() {
    local pid
    pid=$(head -n 1 "$1" 2>/dev/null) && [ -n "$pid" ] && [ "$(basename "$(readlink "/proc/$pid/exe" 2>/dev/null)")" = "$2" ]
}
# wait_for SECONDS COMMAND…
wait_for() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.05
    done
}

# background USER FOLDER COMMAND…: starts it, detached; FOLDER/pid and FOLDER/log are its own.
background() {
    local user=$1 folder=$2
    shift 2
    (
        cd /
        if [ "$(id -u)" -eq 0 ]; then
            exec setsid setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --no-new-privs "$@" </dev/null >>"$folder/log" 2>&1
        fi
        exec setsid "$@" </dev/null >>"$folder/log" 2>&1
    ) &
    echo $! >"$folder/pid"
    disown
}
# ended FOLDER: stops what runs there, if it runs.
ended() {
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    wait_for 20 eval "! kill -0 $pid 2>/dev/null" || fail "process $pid did not stop; see $1/log"
    rm -f "$1/pid"
}

# ---- the database ----
postgres_bin=/usr/lib/postgresql/15/bin
database_port=54315 # names the socket; nothing listens on a network
database_url() { echo "host=$home/pg port=$database_port user=postgres dbname=${1:-meridian}"; }
database_running() { alive "$home/pg/data/postmaster.pid" postgres; }

database_create() {
    rm -rf "$home/pg"
    folder "$database_user" "$home/pg"
    as "$database_user" $postgres_bin/initdb -D "$home/pg/data" -U postgres -N -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
    cat >>"$home/pg/data/postgresql.conf" <<CONF
port = $database_port
listen_addresses = ''
unix_socket_directories = '$home/pg'
password_encryption = 'scram-sha-256'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
shared_buffers = 256MB
max_wal_size = 4GB
wal_level = minimal
max_wal_senders = 0
# Invented data that ./demo can make again: it need not survive a crash of the machine.
fsync = off
synchronous_commit = off
CONF
    # The operator comes in as postgres; the gateway's role proves itself by password.
    printf 'local all postgres trust\nlocal all all scram-sha-256\n' >"$home/pg/data/pg_hba.conf"
}
database_start() {
    database_running && return
    [ -d "$home/pg/data" ] || database_create
    as "$database_user" $postgres_bin/pg_ctl -D "$home/pg/data" -l "$home/pg/log" -w -t 60 start >/dev/null ||
        fail "PostgreSQL did not start; see $home/pg/log"
}
database_load() {
    local wanted=$1
    [ "$(cat "$home/pg/loaded" 2>/dev/null)" = "$wanted" ] && return
    step "loading invented people at scale ${wanted%% *} (kept for the next run)"
    rm -f "$home/pg/loaded"
    psql -Xq -d "$(database_url postgres)" -c 'DROP DATABASE IF EXISTS meridian' -c 'CREATE DATABASE meridian' 2>/dev/null
    psql -Xq -d "$(database_url)" -v scale="${wanted%% *}" -f examples/meridian/load.sql
    echo "$wanted" >"$home/pg/loaded"
}
database_stop() {
    database_running || return 0
    as "$database_user" $postgres_bin/pg_ctl -D "$home/pg/data" -m fast -w stop >/dev/null
}
