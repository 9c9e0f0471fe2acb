# shellcheck shell=bash
# The story. Each chapter says what a company that is breached gains, shows a partner's command and
# runs it with the partner's own psql. What should be refused and is not, or the other way round,
# ends the demo with an error: it is a test too.

# allowed AGENT ARGUMENTS… and refused AGENT ARGUMENTS…: show, run, and hold the story to it.
allowed() {
    show "${1/\//.}" psql "${@:2}"
    run_partner "$@" | paint || fail "this should have worked"
}
refused() {
    show "${1/\//.}" psql "${@:2}"
    ! run_partner "$@" >"$home/refused" || { cat "$home/refused"; fail "this should have been refused"; }
    paint <"$home/refused"
}
# truth SQL: one value, from the database itself.
truth() { psql -XAtq -d "$(database_url)" -c "$1"; }

recall="SELECT c.full_name, c.postcode, v.registration, v.vin FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id JOIN model m ON m.model_id = v.model_id WHERE m.name = 'Azimuth' AND v.first_registered = 2019"

chapter_sight() {
    chapter "What a partner sees" "north-mail prints Meridian's recall letters. What it never could see, nobody can steal from it: no e-mail address, no telephone number, no bank account, nobody abroad."
    allowed north-mail/recall -c "SELECT full_name, birth_date, street, city, postcode FROM customer ORDER BY customer_id LIMIT 4"
    say "Everything it can see of one person; SELECT * is no way round:"
    allowed north-mail/recall -x -c "SELECT * FROM customer WHERE customer_id = $person"
    chapter "Masked" "ringway answers the telephone: the last four digits tell it that it has the right person, and are worth little to a thief. It must name the car: there is no list to take away."
    allowed ringway/desk -c "SELECT v.registration, c.full_name, c.phone, m.name AS model FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id JOIN model m ON m.model_id = v.model_id WHERE v.registration = '$mark'"
    refused ringway/desk -c "SELECT full_name, phone FROM customer"
    chapter "Tokens" "brightwash has a car-care app. It can tell one driver from another and never learns who they are; its tokens match nobody else's."
    allowed brightwash/app -c "SELECT v.registration, m.name AS model, v.owner_id FROM vehicle v JOIN model m ON m.model_id = v.model_id ORDER BY v.vehicle_id LIMIT 3"
    chapter "Statistics" "statlab counts, and sees no row of anybody: groups of fewer than ten people are left out."
    allowed statlab/notebook -c "SELECT country, gender, count(*) AS people FROM customer GROUP BY country, gender ORDER BY people DESC LIMIT 6"
    refused statlab/notebook -c "SELECT postcode, birth_date FROM customer"
}

chapter_refusals() {
    chapter "Refused, with a reason" "A stolen password of a partner opens what that partner was granted and nothing else; whoever tries is told what would be allowed, and the attempt is in the ledger."
    refused north-mail/recall -c "SELECT full_name, email FROM customer"
    refused north-mail/recall -c "SELECT iban FROM payment_method"
    refused north-mail/recall -c "SELECT pg_read_file('/etc/passwd')"
    refused north-mail/recall -c "DELETE FROM customer"
}

chapter_work() {
    chapter "The work goes on" "A recall: every Azimuth of one year and who drives it. The whole statement runs in the database, with its indexes; each row's owner is noted on the way."
    allowed north-mail/recall -c "$recall ORDER BY v.vehicle_id LIMIT 4"
    allowed north-mail/recall -At -o azimuth.txt -c "$recall"
    say "Two more jobs, each with columns and people of its own: who is reminded of a service, and who only enquired."
    allowed north-mail/service -At -o reminders.txt -c "SELECT c.full_name, c.phone, v.registration FROM customer c JOIN vehicle v ON v.owner_id = c.customer_id WHERE v.model_id = 5"
    allowed north-mail/enquiries -At -o enquirers.txt -c "SELECT full_name, street, city, postcode FROM enquirer WHERE brand = 'dacre' LIMIT 500"
    show north-mail wc -l azimuth.txt reminders.txt enquirers.txt
    wc -l "$(kit north-mail/recall)/azimuth.txt" "$(kit north-mail/service)/reminders.txt" "$(kit north-mail/enquiries)/enquirers.txt" | sed 's|/.*/||'
}

chapter_correction() {
    local before after correction
    chapter "A correction" "A customer rings: the number is wrong. A few of ringway's people may change that one column, of one car's owner at a time, and only when staff have said yes, for eight hours. Who was changed is in the ledger before the database commits; what it was changed to is nowhere but in the database."
    before=$(truth "SELECT count(*) FROM crm.customer WHERE phone = '+44 7700 900999'")
    refused ringway/desk -c "UPDATE customer SET phone = '+44 7700 900999' FROM vehicle v WHERE v.owner_id = customer.customer_id AND v.registration = '$mark'"
    correction="UPDATE customer SET phone = '+44 7700 900999' FROM vehicle v WHERE v.owner_id = customer.customer_id AND v.registration = '$mark' RETURNING full_name, phone"
    refused ringway/corrections -c "SET cofferdam.reason = 'call 4711'" -c "$correction"
    operator request list
    operator request approve 1 --for 2h
    refused ringway/corrections -c "UPDATE customer SET phone = '+44 7700 900999'"
    allowed ringway/corrections -c "$correction"
    after=$(truth "SELECT count(*) FROM crm.customer WHERE phone = '+44 7700 900999'")
    [ $((after - before)) -le 1 ] && [ "$after" -ge 1 ] || fail "$((after - before)) telephone numbers were changed"
    show meridian "cofferdam ledger tail | grep change"
    cofferdam ledger tail | grep -E '^ *sequence| change' || fail "the change is not in the ledger"
}

chapter_delivery() {
    chapter "A file, handed over" "brightwash wants a list for its winter checks. Staff make it through the same fence, budget and ledger, with an id of its own; among the rows are a few people who do not exist, known to nobody but us."
    operator export --partner brightwash --canaries 12 "SELECT registration, owner_id, first_registered FROM vehicle WHERE model_id = 3" "$home/winter.csv"
    show brightwash head -n 4 winter.csv
    head -n 4 "$home/winter.csv"
}

# A row of winter.csv, "registration,owner", whose car nobody has.
invented_car() {
    LC_ALL=C join -t, -v 1 <(tail -n +2 "$home/winter.csv" | cut -d, -f1,2 | LC_ALL=C sort) <(truth "SELECT registration FROM crm.vehicle" | LC_ALL=C sort) | head -n 1
}
alarm_stands() { cofferdam alarm list | grep -q "$1"; }

chapter_trip_wire() {
    local car
    chapter "A trip-wire" "ringway was never given that list. If it knows a driver who exists nowhere else, somebody has handed it on: the question alone raises an alarm, before anything is for sale."
    car=$(invented_car)
    [ -n "$car" ] || fail "there is no invented car in the file"
    allowed ringway/desk -c "SELECT v.registration, m.name AS model FROM vehicle v JOIN model m ON m.model_id = v.model_id WHERE v.registration = '${car%,*}' AND v.owner_id = '${car#*,}'"
    wait_for 5 alarm_stands canary-crossed || { cofferdam alarm list; fail "no alarm was raised"; }
    operator alarm show "$(cofferdam alarm list | sed -n '2s/^ *\([0-9]*\) .*/\1/p')"
}

chapter_credentials() {
    chapter "By what they came in" "Who is here now, what proved it and until when; which certificates were issued; and what an agent did in this hour, against the bound that would raise an alarm."
    show ringway.desk psql
    run_partner ringway/desk -At -c "SELECT 1" -c '\! sleep 1' >"$home/desk.out" 2>&1 &
    wait_for 5 session_of desk || { cat "$home/desk.out"; fail "ringway/desk is not among the sessions"; }
    operator sessions
    wait $! || { cat "$home/desk.out"; fail "the session was disturbed"; }
    show meridian cofferdam cert list --ca "$home/ca"
    "$program" cert list --ca "$home/ca"
    operator anomaly show --agent ringway/desk
}
session_of() { cofferdam sessions | grep -qw "$1"; }

chapter_budget() {
    chapter "An export, and its end" "Somebody has north-mail's key and wants everything. The budget is 12,000 different people a day; the row that would be one too many is not sent."
    refused north-mail/recall -o customers.txt -c "SELECT full_name, birth_date, gender, street, city, postcode FROM customer"
    allowed north-mail/recall -c "SHOW cofferdam.budget"
    say "Those who are known already cost nothing, so the day's work is not in the way of a retry:"
    allowed north-mail/recall -c "SELECT full_name, postcode FROM customer WHERE customer_id = $person"
}

# A long export of north-mail's, and a telephone agent of ringway's who keeps looking cars up.
start_export() {
    show north-mail.recall psql -c "SELECT … FROM customer, dealer, model WHERE customer_id <= 2000"
    run_partner north-mail/recall -At -o /dev/null \
        -c "SELECT c.full_name, c.street, d.name, m.name FROM customer c, dealer d, model m WHERE c.customer_id <= 2000" \
        >"$home/export.out" 2>&1 &
    export_pid=$!
}
start_look_ups() {
    local i
    show ringway.desk psql -f thirty-look-ups.sql
    for ((i = 0; i < 30; i++)); do
        echo "SELECT v.registration, c.full_name FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id WHERE v.registration = '$mark';"
        echo '\! sleep 0.1'
    done >"$home/look-ups.sql"
    run_partner ringway/desk -At -f "$home/look-ups.sql" >"$home/look-ups.out" 2>&1 &
    look_ups_pid=$!
}

chapter_containment() {
    local began answered
    chapter "The telephone rings" "north-mail has been attacked. One command ends its sessions, in the middle of a row, starts the clocks of the law and fixes what the ledger says now. A company without it needs hours, and stops everybody."
    start_export
    start_look_ups
    sleep 0.7
    kill -0 $export_pid 2>/dev/null || { cat "$home/export.out"; fail "the export ended too early"; }
    began=$(date +%s%N)
    timed "open: contained, clocks running" breach_open
    wait $export_pid && fail "the export was not cut"
    say "north-mail's export, $((($(date +%s%N) - began) / 1000000)) ms after the command:"
    paint <"$home/export.out"
    refused north-mail/service -c "SELECT 1"
    wait $look_ups_pid || { cat "$home/look-ups.out"; fail "ringway was disturbed"; }
    answered=$(grep -c "^$mark|" "$home/look-ups.out")
    [ "$answered" -eq 30 ] || fail "ringway had $answered answers of 30"
    say "ringway: 30 of 30 answered, in the one session that was open all the time."
}

chapter_answers() {
    chapter "How many people?" "What the regulator, the press and the board ask first, computed from what was written down before each row left, and bound to the ledger's root by a hash."
    timed "scope: who, and which data" breach_scope
    chapter "This person?" "And what everybody asks who calls. First one whose letter was printed; then one who was only ever counted, among many."
    operator subject customer "$person"
    operator subject customer "$stranger"
}

chapter_words() {
    chapter "What may be said" "Each claim of the public statement has its evidence, or is left out, or is marked as somebody's word."
    timed "facts that staff know" breach_facts
    timed "statement" breach_statement
    chapter "The regulator" "The form's questions in the form's order, ready to be pasted. The clock stops when the filing is recorded."
    timed "the regulator's sheet" breach_report
    timed "the filing recorded" breach_reported
}

chapter_people() {
    local first reference
    chapter "Everybody who is affected" "One message a person, with that person's own categories and no others. A human approves the hash of what will be sent, to whom, in which words."
    timed "notices: audience, texts, lint" breach_dry_run
    timed "public page published" breach_publish
    mail_start
    timed "notices: sent" breach_send
    operator incident notify $incident --status
    say "One of them, as it lies in the mailbox:"
    show_message "date of birth"
    chapter "Is this message genuine?" "Whoever is afraid of a fake types our address and the reference. The page runs as a user that can reach neither the database nor the ledger."
    portal_start
    first=$(reference_of "date of birth")
    show "a customer" "open $(portal_url)/en/genuine and type $first"
    browse /en/genuine "reference=$first"
}

chapter_evidence() {
    chapter "Closed" "Not before every duty is done, or somebody has signed why not. The dossier holds what the authority may ask for in two years."
    timed "closed, with its dossier" breach_close
    chapter "The evidence" "Who decided what, when and why; every step is an act in the ledger too, in a log whose hash tree shows any later change."
    operator incident log $incident
    show meridian "cofferdam ledger tail -n 20000 | grep -E 'sequence|refusal|budget|contained'"
    cofferdam ledger tail -n 20000 | grep -E '^ *sequence| refusal | (budget|contained) ' | tail -n 12
    say
    say "${bold}From the telephone call:$plain"
    print_steps
    say "${bold}In the database: $(truth 'SELECT count(*) FROM crm.customer') customers and $(truth 'SELECT count(*) FROM crm.enquirer') enquirers, with bank accounts and passwords.$plain"
    say "${bold}What the thief at north-mail can have, at most, stands above, person by person.$plain"
}

chapter_leak() {
    chapter "A list turns up" "Nine hundred cars, for sale in a forum. Whose copy is it? The ledger knows who had exactly this of whom; the invented people among them know it best. It speaks of a copy, never of a company's guilt."
    { head -n 1 "$home/winter.csv"; tail -n +2 "$home/winter.csv" | shuf -n 900 --random-source="$home/winter.csv"; } >"$home/leak.csv"
    operator trace "$home/leak.csv" --yes | tee "$home/trace.out"
    grep -q brightwash "$home/trace.out" || fail "the copy was not recognised"
}

chapter_auditor() {
    chapter "The auditor" "Nobody, our own administrators included, can change or drop a record unseen. Whoever has the public key checks the whole log, offline, with this program or with anybody's that speaks the open formats."
    operator ledger verify "$home/gateway/state/ledger" --key "$home/gateway/state/ledger/log.vkey"
    say "And what did not happen can be proved too: a certificate that names nobody else."
    operator ledger commit
    operator ledger prove --never --kind customer --subject "$stranger" --partner north-mail --output "$home/never.txt"
    show auditor cofferdam ledger verify never.txt --key log.vkey
    "$program" ledger verify "$home/never.txt" --key "$home/gateway/state/ledger/log.vkey"
}

choose_people() {
    person=$(truth "SELECT min(customer_id) FROM crm.customer WHERE country = 'GB' AND NOT gone_away AND NOT deceased AND phone IS NOT NULL")
    stranger=$(truth "SELECT max(customer_id) FROM crm.customer WHERE country <> 'GB' AND brand = 'dacre' AND customer_id NOT IN (SELECT owner_id FROM crm.vehicle WHERE owner_id IS NOT NULL)")
    mark=$(truth "SELECT registration FROM crm.vehicle JOIN crm.customer ON customer_id = owner_id WHERE phone IS NOT NULL AND NOT deceased ORDER BY vehicle_id LIMIT 1")
}

tell_story() {
    choose_people
    say
    say "${bold}Meridian Motors$plain sells cars under two brands, and has $(truth 'SELECT count(*) FROM crm.customer') customers in PostgreSQL. Four companies"
    say "work for it and need some of that. Each was sent a kit (certificate or password, addresses, limits) and"
    say "uses its own psql. Between them and the database stands Cofferdam."
    chapter_sight
    chapter_refusals
    chapter_work
    chapter_correction
    chapter_delivery
    chapter_trip_wire
    chapter_credentials
    chapter_budget
    chapter_containment
    chapter_answers
    chapter_words
    chapter_people
    chapter_leak
    chapter_auditor
    chapter_evidence
}
