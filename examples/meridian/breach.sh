# shellcheck shell=bash
# What follows when a partner is breached, step by step and timed: ./demo ends with it, and
# `cofferdam drill` is made of it. Needs lib.sh, gateway.sh, partners.sh, mail.sh, and operator().

incident=1

# timed NAME COMMAND…: how long each step took, for the table at the end.
step_names=() step_ms=()
timed() {
    local name=$1 began
    shift
    began=$(date +%s%N)
    "$@"
    step_names+=("$name") step_ms+=($((($(date +%s%N) - began) / 1000000)))
}
print_steps() {
    local i sum=0
    for i in "${!step_names[@]}"; do
        printf '  %-40s %6d.%02d s\n' "${step_names[$i]}" $((step_ms[i] / 1000)) $((step_ms[i] % 1000 / 10))
        sum=$((sum + step_ms[i]))
    done
    printf '  %-40s %6d.%02d s\n' "all of it" $((sum / 1000)) $((sum % 1000 / 10))
}

# The processor's own notice, as it came after the telephone call.
write_notice() {
    cat >"$home/notice.txt" <<'TEXT'
From: Rowan Teale, North Mail
To: Meridian Motors UK, Data Protection

Somebody outside our company used the workstation from which we print your recall letters. It is
switched off. We do not know what was copied: please treat everything that we had from you as taken.
TEXT
}

breach_open() {
    write_notice
    operator incident open --partner north-mail --noticed now --report "$home/notice.txt" --by "Imogen Hartley" "$@"
}
breach_scope() { operator incident scope $incident; }

# What staff know and no ledger does: the report and the notices ask for it by name.
breach_facts() {
    local name value
    show meridian "cofferdam incident fact $incident what_happened \"Somebody outside North Mail used …\"     # and so on"
    while IFS='|' read -r name value; do
        cofferdam incident fact $incident "$name" "$value" --by "Imogen Hartley" >/dev/null || fail "the fact $name was refused"
    done <examples/meridian/facts.txt
}
breach_statement() { operator incident statement $incident; }
breach_dry_run() {
    operator incident notify $incident --dry-run
    approved=$(cofferdam incident notify $incident --dry-run --json | sed -n 's/.*"hash": *"\([0-9a-f]\{64\}\)".*/\1/p' | head -n 1)
    [ ${#approved} -eq 64 ] || fail "the dry run gave no hash to approve"
}
breach_publish() { operator incident publish $incident; }
breach_send() { operator incident notify $incident --send --approve "$approved" --by "Imogen Hartley"; }
breach_report() {
    operator incident report $incident --authority ico --out "$home/ico.txt"
    head -n 60 "$home/ico.txt"
    say "… $(wc -l <"$home/ico.txt") lines, in the order of the form."
}
breach_reported() {
    operator incident reported $incident --authority ico --reference IC-480123-Z7Q2 --sheet "$home/ico.txt" --by "Imogen Hartley"
}

# The message that one person has in hand, as it lies in their mailbox.
show_message() {
    /usr/bin/python3 - "$(mailbox)" "$@" <<'PYTHON'
import email, email.policy, json, sys
for line in open(sys.argv[1]):
    message = email.message_from_string(json.loads(line)["data"], policy=email.policy.default)
    text = message.get_body(("plain",)).get_content()
    if all(word in text or word in message["Content-Language"] for word in sys.argv[2:]):
        print("\n".join(f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date", "Content-Language")))
        print("\n" + text)
        break
else:
    sys.exit("no such message")
PYTHON
}
# The reference in a message, as its reader would type it.
reference_of() { show_message "$@" | grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){4}-[0-9A-Z*~$=]' | head -n 1; }

# What is left for people to do and to decide: a case with open duties is not closed.
breach_close() {
    show meridian cofferdam incident close $incident --why "everybody was told"
    ! cofferdam incident close $incident --why "everybody was told" >"$home/close" 2>&1 || fail "a case with open duties was closed"
    paint <"$home/close"
    operator incident notify $incident --letters "$home/letters.csv" --by "Imogen Hartley"
    breach_decide letters "printed and posted by our own post room, first class, on the same day"
    breach_decide "public notice" "in two newspapers, and on the data privacy page"
    breach_decide statement "published as drafted; its evidence is in the case"
    operator incident close $incident --why "everybody was told" --by "Imogen Hartley"
    operator incident verify $incident
}
breach_decide() { operator incident decide $incident --step "$1" --why "$2" --by "Imogen Hartley"; }
