# shellcheck shell=bash
# The breach path's neighbours: a mail server that keeps what it is given, the public page, and the
# worker that answers people. Needs lib.sh and gateway.sh. Each is a user's process, stopped by pid.

mail_port() { sed -n 's/^  port: \([0-9]*\)$/\1/p' "$home/gateway/cofferdam.yaml" | tail -n 1; }
mailbox() { echo "$home/mail/messages.jsonl"; }

mail_start() {
    local folder=$home/mail
    rm -rf "$folder"
    folder "$gateway_user" "$folder"
    cp examples/meridian/mailbox.py "$folder/mailbox.py"
    quietly "$program" cert server --ca "$home/ca" --dns localhost --ip 127.0.0.1 --out "$folder"
    hand_over "$folder/server.key"
    background "$gateway_user" "$folder" /usr/bin/python3 "$folder/mailbox.py" --folder "$folder" --port "$(mail_port)" \
        --certificate "$folder/server.crt" --key "$folder/server.key" --notices "$folder/bounces" \
        --user notices --password-file "$home/gateway/secrets/mail.password"
    wait_for 20 grep -qs "^ready" "$folder/log" || fail "the mail server did not start; see $folder/log"
}
mail_stop() { ended "$home/mail"; }

# ---- the public page, as a user of its own that can reach nothing else ----
portal_user=$(servant www-data)
portal_url() { echo "http://127.0.0.1:$(cat "$home/portal/port")"; }
portal_prepare() {
    folder "$gateway_user" "$home/gateway/portal"
    folder "$gateway_user" "$home/portal"
}
portal_start() {
    free_port $(shuf -i 20000-21999 -n 50) >"$home/portal/port"
    background "$portal_user" "$home/portal" "$home/gateway/cofferdam" portal --folder "$home/gateway/portal/site" \
        --queue "$home/gateway/portal/queue" --listen "127.0.0.1:$(cat "$home/portal/port")"
    wait_for 10 portal_answers || fail "the portal did not start; see $home/portal/log"
}
portal_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$(cat "$home/portal/port")") 2>/dev/null; }
# browse PATH [FIELD=VALUE]: what a person without much of a browser reads there.
browse() { /usr/bin/python3 examples/meridian/browse.py "$(portal_url)$1" "${@:2}"; }

worker_start() {
    folder "$gateway_user" "$home/worker"
    background "$gateway_user" "$home/worker" "$home/gateway/cofferdam" worker -c "$home/gateway/cofferdam.yaml"
}
neighbours_stop() {
    ended "$home/worker"
    ended "$home/portal"
    mail_stop
}
