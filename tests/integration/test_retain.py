"""Old entries go when staff say so, and only then; what is left verifies, counts, and says since when."""
import contextlib
import json
import os
import re
import shutil
import time
import sqlite3
import subprocess
import time

import pytest

from harness import clock, faults, places, shop, verifiers

YEARS = -3 * 365
FILLER = "# " + "x" * 118 + "\n"
TOKENS = shop.POLICY.replace("columns: {person_id: clear, full_name: clear}}", "columns: {person_id: token, full_name: clear}}")
WISH = ("--before", "2025-01-01T00:00:00Z", "--reason", "kept for two years")


def retain(gateway, *more):
    return gateway.cli_json("ledger", "retain", *WISH, *more)


def refused(gateway, *more):
    code, _, errors = gateway.cli("ledger", "retain", *WISH, *more, check=False)
    assert code == 1, errors
    return errors


def segments(folder):
    return sorted(path.name for path in folder.glob("segment-*.log"))


def fill_segment(gateway):
    """A policy's text stands in the ledger each time that it is taken into force."""
    before = segments(gateway.ledger_dir)
    while segments(gateway.ledger_dir) == before:
        gateway.admin("RELOAD")


def read(gateway, numbers):
    """A statement for each person, many in a text."""
    with gateway.connect("acme.cert") as connection:
        for first in range(0, len(numbers), 100):
            connection.execute("; ".join(f"SELECT full_name FROM person WHERE person_id = {n}"
                                         for n in numbers[first:first + 100]))


def used(gateway):
    return {(row["partner"], row["window"], row["limit"]): (row["used"], row["pace"])
            for row in gateway.admin("SHOW BUDGET")}


def summary(gateway):
    return gateway.admin("SHOW EXPOSURE")


@pytest.fixture(scope="module")
def old(make_module_gateway):
    """A gateway, stopped: three years ago acme had 30 of the people 1 to 40, now it has had 12 of 35 to 50."""
    years = clock.Clock()
    gateway = make_module_gateway(policy_yaml=TOKENS + FILLER * 4000, start=False, config={
        "canaries": {"mailbox_domain": "letters.example"},
        "budget": {"approvals": 1}, "ledger": {"segment_bytes": 1048576, "publish_every_ms": 100}})
    gateway.grant()
    years.at(gateway, YEARS)
    gateway.start()
    read(gateway, [1 + n % 40 for n in range(300)])
    [[gateway.token]] = gateway.rows("rival.cert", "SELECT person_id FROM person WHERE full_name = 'Person 35'")
    gateway.cli("export", "--partner", "acme", "--purpose", "delivery", "--canaries", "1",
                "SELECT person_id, full_name FROM person WHERE person_id = 41", gateway.folder / "export.csv")
    gateway.admin("CONTAIN PARTNER 'acme' AGENT 'job' REASON 'years ago'")
    for _ in range(2):
        fill_segment(gateway)
    gateway.stop()
    years.at(gateway, 0)
    gateway.start()
    read(gateway, [35 + n % 16 for n in range(300)])
    gateway.rows("rival.cert", "SELECT full_name FROM person WHERE full_name = 'Person 35'")
    fill_segment(gateway)
    gateway.cli("ledger", "commit")
    gateway.certificate = gateway.cli("ledger", "prove", "--never", "--subject", "55")
    gateway.stop()
    gateway.pristine = gateway.folder / "pristine"
    shutil.copytree(gateway.state_dir, gateway.pristine)
    own_all(gateway, gateway.pristine)
    gateway.years = years
    yield gateway
    years.close()


def own_all(gateway, folder):
    for path in [folder, *folder.rglob("*")]:
        places.own(path, gateway.user)


def put_back(gateway):
    if gateway.process is not None:
        gateway.stop()
    shutil.rmtree(gateway.state_dir)
    shutil.copytree(gateway.pristine, gateway.state_dir)
    own_all(gateway, gateway.state_dir)


@pytest.fixture
def gateway(old):
    put_back(old)
    old.start()
    return old


def test_it_says_what_would_go_and_goes_only_when_meant(gateway):
    before, shown = segments(gateway.ledger_dir), summary(gateway)
    dry = retain(gateway, "--dry-run")
    assert not dry["dropped"] and dry["entries"] == 302 and dry["people"] == 26 and dry["deliveries"] == 1
    assert dry["totals_shrink"] and dry["totals"] == [
        {"partner": "acme", "limit": "total", "people": 38, "people_after": 12},
        {"partner": "rival", "limit": "total", "people": 1, "people_after": 1}]
    assert "nobody is there to be asked" in refused(gateway)
    assert "of acme would count 12 people instead of 38" in refused(gateway, "--yes")
    assert segments(gateway.ledger_dir) == before and summary(gateway) == shown
    done = retain(gateway, "--yes", "--forget-totals")
    assert {**done, "dropped": False} == dry and not done["index_late"]
    left = segments(gateway.ledger_dir)
    assert left == before[dry["segments"]:] and len(left) >= 2
    numbers, told = used(gateway), summary(gateway)
    assert numbers["acme", "total", "subjects"][0] == "12" and told[0]["subjects"] == "12"
    acts = [entry["text"] for entry in gateway.ledger() if entry["type"] == "act"]
    assert any(text.startswith("retain before=2025-01-01T00:00:00Z below=") for text in acts)
    assert any(text.startswith("total-forgotten\nlimit=total\nused=38\nleft=12\n") for text in acts)
    gateway.restart()
    assert used(gateway) == numbers and summary(gateway) == told
    assert [row["agent"] for row in gateway.admin("SHOW CONTAINMENT")] == ["job"]
    gateway.cli("exposure", "rebuild", "--check")
    assert "nothing can be dropped" in refused(gateway, "--yes", "--forget-totals")
    # Erasing, reading and verifying go on; whoever has the key sees who dropped what.
    read(gateway, [60])
    gateway.cli("erase", "person", "60", "--reason", "asked")
    gateway.stop()
    report = gateway.cli("ledger", "verify", "--with-data", "--key", gateway.ledger_dir / "log.vkey")
    assert "1 of 1 commitments count entries that were dropped" in report
    assert re.search(r"gone: +302 of the entries below \d+ were dropped", report)
    assert re.search(r"kept: +\d+ of them, about nobody, each with the hash that the published tiles have", report)
    shutil.rmtree(gateway.ledger_dir / "tiles")
    report = gateway.cli("ledger", "verify", "--key", gateway.ledger_dir / "log.vkey")
    assert "by the signature alone: the tiles are not here to prove them" in report


def test_a_backup_of_what_is_left(gateway):
    backup, restored = gateway.folder / "backup", gateway.folder / "restored"
    for folder in (backup, restored):
        shutil.rmtree(folder, ignore_errors=True)
    retain(gateway, "--yes", "--forget-totals")
    gateway.cli("ledger", "backup", backup, "--with-keys")
    checkpoint = sorted((backup / "ledger" / "checkpoints").iterdir())[-1]
    gateway.cli("ledger", "restore", backup, "--to", restored / "ledger", "--checkpoint", checkpoint)
    told = summary(gateway)
    gateway.stop()
    for name in ("ledger", "subjects"):
        shutil.rmtree(gateway.state_dir / name)
        shutil.copytree((restored if name == "ledger" else backup) / name, gateway.state_dir / name)
    own_all(gateway, gateway.state_dir)
    gateway.start()
    assert summary(gateway) == told
    gateway.cli("ledger", "verify", "--key", gateway.ledger_dir / "log.vkey")


def test_what_is_still_needed_stays(gateway):
    before = segments(gateway.ledger_dir)
    remember = shop.POLICY.replace("    budget:", "    aggregates: {remember: 1200d}\n    budget:", 1)
    gateway.write_policy(remember)
    gateway.admin("RELOAD")
    assert "statistics given to acme are remembered for 1200 days" in refused(gateway, "--yes", "--forget-totals")
    gateway.write_policy(shop.POLICY)
    gateway.admin("RELOAD")
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now")
    assert "is open, and its scope begins" in refused(gateway, "--yes", "--forget-totals")
    [cases] = gateway.folder.glob("**/incidents.sqlite")
    with contextlib.closing(sqlite3.connect(cases)) as file, file:
        file.execute("UPDATE incident SET closed_ns = ?", (time.time_ns() - 399 * 86400 * 10**9,))
    assert "answered from its scope" in refused(gateway, "--yes", "--forget-totals")
    assert segments(gateway.ledger_dir) == before


def test_other_peoples_verifiers_follow(gateway):
    """Whoever holds an old checkpoint proves that the log is still that log, and an entry that stayed is in it."""
    former = gateway.pristine / "ledger" / "tiles" / "checkpoint"
    below = retain(gateway, "--yes", "--forget-totals")["below"]
    gateway.stop()
    proof, vkey = gateway.folder / "kept.tlog-proof", gateway.ledger_dir / "log.vkey"
    proof.unlink(missing_ok=True)
    gateway.cli("ledger", "prove", str(below + 1), "-o", proof)
    code, told, errors = verifiers.go(vkey, gateway.ledger_dir / "tiles", olds=[former], proofs=[proof], below=below)
    assert code == 0, told + errors
    code, _, errors = gateway.cli("ledger", "prove", "0", check=False)
    assert code == 1 and "drop" in errors, errors


def verify(gateway, text, check=True):
    path = gateway.folder / "never.txt"
    path.write_text(text)
    return gateway.cli("ledger", "verify", path, "--key", gateway.ledger_dir / "log.vkey", check=check)


def marks(gateway):
    """How many people have a leaf, and how many a seed, in what is kept for proofs of non-exposure."""
    index, seeds = ((gateway.state_dir / "never" / name).read_bytes() for name in ("index", "seeds"))
    known = [seeds[at:at + 32] for at in range(44, len(seeds) - 32, 32)]
    return int(re.search(rb"\nleaves=(\d+)\n", index)[1]) - 3, sum(seed != bytes(32) for seed in known)


def last_commitment(gateway):
    [*_, text] = [entry["text"] for entry in gateway.ledger() if entry["type"] == "commitment"]
    lines = dict(line.split("=", 1) for line in text.splitlines())
    return {name.upper(): value for name, value in lines.items() if name not in ("index", "by")}


def test_never_is_proved_of_what_is_left(gateway):
    assert "holds: Nothing about" in verify(gateway, gateway.certificate) and marks(gateway) == (38, 38)
    for person in ("2", "37"):  # of the first only dropped entries tell
        gateway.cli("erase", "person", person, "--reason", "asked")
    below = retain(gateway, "--yes", "--forget-totals")["below"]
    since = gateway.admin("SHOW SINCE")[0]["since"]
    # What was certified before stays so; but of the index of before nothing more is proved, or checked.
    assert "holds: Nothing about" in verify(gateway, gateway.certificate)
    for question in (["prove", "--never", "--subject", "55"], ["commit", "--check"]):
        code, _, errors = gateway.cli("ledger", *question, check=False)
        assert code == 1 and "cofferdam ledger commit makes one of what is left" in errors, errors
    assert gateway.cli_json("ledger", "verify", "--with-data")["never_beyond"] == 1
    told = gateway.cli_json("ledger", "commit")
    assert (told["from"], told["since"], told["people"], told["gone"], told["computed"]) == (below, since, 12, 26, 0)
    assert told["erased"] == 0
    assert marks(gateway) == (12, 12)
    entry = gateway.ledger(1)[0]["text"]
    assert entry.startswith(f"index=never@v2\nfrom={below}\nsince={since}\nbase=")
    report = gateway.cli_json("ledger", "verify", "--with-data", "--key", gateway.ledger_dir / "log.vkey")
    assert (report["never_follows"], report["never_beyond"]) == (told["sequence"], 1)
    # Person 1 was told of in dropped entries alone, 35 in both.
    text = gateway.cli("ledger", "prove", "--never", "--subject", "1")
    words = (f'In entries {below} to {told["entries"] - 1} of the log {report["log"]}, since {since}: nothing about '
             'the person "1" was ever disclosed to any partner.')
    assert words.replace(report["log"], "cofferdam/log/" + report["log"]) in text.splitlines()
    assert f"holds: {words[:20]}" in verify(gateway, text)
    assert 'nothing about the person "2" was' in gateway.cli("ledger", "prove", "--never", "--subject", "2")
    assert "would be false" in gateway.cli("ledger", "prove", "--never", "--subject", "37", check=False)[2]
    code, _, errors = gateway.cli("ledger", "prove", "--never", "--subject", "35", check=False)
    assert code == 1 and re.search(rf"would be false: it was disclosed on {time.gmtime().tm_year}", errors), errors
    for old, new in ((f"from {below}\n", ""), (f"from {below}\n", "from 1\n"), (f"since {since}\n", "since 2020-01-01T00:00:00Z\n")):
        assert verify(gateway, text.replace(old, new, 1), check=False)[0] == 1
    again = gateway.cli_json("ledger", "commit", "--afresh")
    assert (again["root"], again["gone"], again["from"]) == (told["root"], 0, below)
    read(gateway, [1])
    again = gateway.cli_json("ledger", "commit")
    assert (again["people"], again["computed"], again["gone"]) == (13, 1, 0)
    assert "would be false" in gateway.cli("ledger", "prove", "--never", "--subject", "1", check=False)[2]


def test_an_index_follows_a_second_cut(old):
    put_back(old)
    old.write_policy(TOKENS + FILLER * 4000)  # what other tests have in force fills no segment
    old.start()
    retain(old, "--yes", "--forget-totals")
    first = old.cli_json("ledger", "commit")
    certificate = old.cli("ledger", "prove", "--never", "--subject", "1")
    read(old, [50] * 200)
    fill_segment(old)
    old.stop()
    old.years.at(old, 500)
    old.start()
    before = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 400 * 86400))
    old.cli("ledger", "retain", "--before", before, "--reason", "r", "--yes", "--forget-totals")
    second = old.cli_json("ledger", "commit")
    assert second["from"] > first["from"] and second["since"] > first["since"]
    assert (second["people"], second["gone"], marks(old)) == (1, 11, (1, 1))
    assert "was ever disclosed" in old.cli("ledger", "prove", "--never", "--subject", "35")
    assert f"holds: In entries {first['from']} to" in verify(old, certificate)
    assert "holds: Nothing about" in verify(old, old.certificate)
    told = old.cli_json("ledger", "verify", "--with-data", "--key", old.ledger_dir / "log.vkey")
    assert (told["never_follows"], told["never_beyond"]) == (second["sequence"], 2)
    old.stop()
    old.years.at(old, 0)


def test_an_index_of_more_than_is_left_is_not_committed_to(gateway):
    """Staff who would have the ledger claim what it no longer has; or what it has until in a moment."""
    whole = last_commitment(gateway)

    def commit(**change):
        gateway.admin("COMMIT NEVER " + " ".join(
            f"{name} '{value}'" for name, value in {**wish, **change}.items() if value is not None))

    wish = whole
    gateway.admin("RETAIN BEFORE '2025-01-01' REASON 'kept for two years' FORGET 'totals'")
    with pytest.raises(Exception, match="a retention is under way|the ledger begins with"):
        commit()
    assert await_retention(gateway, "SHOW RETENTION")["state"] == "done"
    real = gateway.cli_json("ledger", "commit")
    wish = last_commitment(gateway)
    for change in ({"FROM": None}, {"FROM": "1"}, {"SINCE": "2020-01-01T00:00:00Z"}, {"BASE": "0" * 64},
                   {"FROM": None, "SINCE": None, "BASE": None, "ROOT": whole["ROOT"], "LEAVES": whole["LEAVES"]}):
        with pytest.raises(Exception, match="the ledger begins with|malformed"):
            commit(**change)
    commit()
    assert gateway.cli_json("ledger", "commit", "--check")["sequence"] == real["sequence"] + 1
    commit(LEAVES=str(int(wish["LEAVES"]) + 1))
    code, _, errors = gateway.cli("ledger", "verify", "--with-data", check=False)
    assert code == 1 and "does not follow from the ledger" in errors, errors


def test_a_commit_killed_after_a_cut(gateway):
    """Wherever it is killed, the next one is as if nothing had been."""
    retain(gateway, "--yes", "--forget-totals")
    never = gateway.folder / "never-before"
    shutil.rmtree(never, ignore_errors=True)
    shutil.copytree(gateway.state_dir / "never", never)
    made = faults.Faults(gateway)
    environment, gateway.environment = gateway.environment, None

    def commit():
        return subprocess.run([gateway.program, "ledger", "commit", "-c", gateway.config, "--json"],
                              env=environment, capture_output=True, check=False)

    made.disarm()
    whole = json.loads(commit().stdout)
    steps, points = made.calls, int(os.environ.get("COFFERDAM_RETAIN_POINTS", "3"))
    assert steps > points
    for step in {1 + point * (steps - 1) // (points - 1) for point in range(points)}:
        shutil.rmtree(gateway.state_dir / "never")
        shutil.copytree(never, gateway.state_dir / "never")
        own_all(gateway, gateway.state_dir / "never")
        made.arm(faults.TORN if step % 2 else faults.KILL_BEFORE, step)
        assert commit().returncode < 0
        made.disarm()
        told = json.loads(commit().stdout)
        assert (told["root"], told["people"], marks(gateway)) == (whole["root"], 12, (12, 12)), step
    gateway.cli("ledger", "commit", "--check")
    made.close()


def test_young_deliveries_stay(old):
    put_back(old)
    old.write_policy(shop.POLICY.replace("    budget:", "    aggregates: {remember: 30d}\n    budget:"))
    old.years.at(old, YEARS + 200)
    old.start()
    code, _, errors = old.cli("ledger", "retain", "--before", "2024-05-01T00:00:00Z", "--reason", "r", "--dry-run",
                              check=False)
    old.stop()
    old.years.at(old, 0)
    old.write_policy(shop.POLICY)
    assert code == 1 and re.search(r"delivery D-\S+ to acme is of 2023-\S+: .* kept for 400 days", errors), errors


def test_a_full_disk_at_any_step(old):
    """It fails whole, or has dropped and mends the index by itself."""
    put_back(old)
    made = faults.Faults(old)
    made.disarm()
    old.start()
    whole, before = summary(old), made.calls
    retain(old, "--yes", "--forget-totals")
    steps, left, seen = made.calls - before, summary(old), set()
    for step in (2, steps // 2):
        put_back(old)
        old.start()
        made.arm(faults.DISK_FULL, step)
        code, output, errors = old.cli("ledger", "retain", *WISH, "--yes", "--forget-totals", check=False)
        made.disarm()
        based = (old.ledger_dir / "base").exists()
        assert code == (0 if based else 1) and (based or "No space left" in errors), (output, errors)
        until(lambda: summary(old) == (left if based else whole))
        if not based:
            retain(old, "--yes", "--forget-totals")
        old.cli("exposure", "rebuild", "--check")
        seen.add(based)
    assert seen == {False, True}
    made.close()


def until(holds):
    for _ in range(100):
        if holds():
            return
        time.sleep(0.1)
    assert holds()


def test_killed_at_any_step(old):
    """Before the base is there nothing has gone; after it, all goes on at the next start."""
    points = int(os.environ.get("COFFERDAM_RETAIN_POINTS", "4"))
    put_back(old)
    made = faults.Faults(old)
    made.disarm()
    old.start()
    whole, before = summary(old), made.calls
    retain(old, "--yes", "--forget-totals")
    steps, left, seen = made.calls - before, summary(old), set()
    assert steps > 20 and left != whole
    for point in range(points):
        put_back(old)
        old.start()
        made.arm(faults.KILL_BEFORE if point % 2 == 0 else faults.TORN, 2 + steps * point // points)
        old.cli("ledger", "retain", *WISH, "--yes", "--forget-totals", check=False)
        made.arm(faults.KILL_BEFORE)  # it may have needed fewer calls than before: then the next one
        old.process.wait(timeout=30)
        made.disarm()
        based = (old.ledger_dir / "base").exists()
        old.start()
        assert summary(old) == (left if based else whole), point
        old.cli("exposure", "rebuild", "--check")
        if not based:
            retain(old, "--yes", "--forget-totals")
        assert summary(old) == left and segments(old.ledger_dir)[0] != "segment-0000000001.log"
        old.stop()
        old.cli("ledger", "verify", "--key", old.ledger_dir / "log.vkey")
        seen.add(based)
    assert seen == {False, True} or points < 4
    made.close()


def test_answers_say_since_when_they_speak(gateway):
    whole = gateway.cli_json("exposure", "show")
    assert whole["since"] is None and gateway.admin("SHOW SINCE")[0]["since"] is None
    done = retain(gateway, "--yes", "--forget-totals")
    [cut] = gateway.admin("SHOW SINCE")
    since = cut["since"]
    assert cut["began"] < since < "2025-01-01" and int(cut["entries"]) == done["entries"]
    sentence = f"Records before {since} were dropped by retention; this answer does not cover them."
    for question in (["exposure", "show"], ["exposure", "net"], ["exposure", "overlap", "acme", "rival"],
                     ["exposure", "statements", "-p", "acme"], ["subject", "person", "1"]):
        assert gateway.cli_json(*question)["since"] == since
        assert gateway.cli(*question).rstrip().endswith(sentence)
    assert gateway.cli_json("subject", "person", "1")["rows"] == []
    for totals in (["budget"], ["partner", "list"], ["partner", "show", "acme"]):
        assert gateway.cli(*totals).rstrip().endswith(sentence), totals
        code, output, errors = gateway.cli(*totals, "--json", check=False)
        assert code == 0 and json.loads(output) and errors.strip() == sentence
    _, _, errors = gateway.cli("exposure", "--from", "2020-01-01", check=False)
    assert sentence in errors
    for question in (["exposure"], ["exposure", "overlap", "acme", "rival"], ["exposure", "statements", "-p", "acme"]):
        code, output, errors = gateway.cli(*question, "--to", "2020-01-01", check=False)
        assert code == 1 and f"the ledger covers what came from {since} on" in errors, (question, output, errors)


def test_a_breach_is_scoped_from_what_is_left_by_a_decision(gateway):
    retain(gateway, "--yes", "--forget-totals")
    since = gateway.admin("SHOW SINCE")[0]["since"]
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", "now")
    code, _, errors = gateway.cli("incident", "scope", "1", check=False)
    assert code == 1 and f"records before {since}" in errors and "--accept-since" in errors
    page = gateway.cli("incident", "scope", "1", "--accept-since", "--reason", "no backup is older")
    assert f"Records before {since} were dropped by retention" in " ".join(page.split())
    scope = json.loads(gateway.cli("incident", "scope", "1", "--json"))
    assert scope["since"] == since and scope["totals"]["people"] == 12
    log = " ".join(gateway.cli("incident", "log", "1").split())
    assert re.search(rf"accept since \(ledger entry [0-9]+\) {since}: no backup is older", log)
    gateway.cli("incident", "verify", "1")


def test_a_copy_is_traced_in_what_is_left(gateway):
    """Unknown older copies explain a sample as well, so only what was made for one copy alone would name it."""
    leaked = gateway.folder / "leaked.csv"
    leaked.unlink(missing_ok=True)
    gateway.cli("export", "--partner", "acme", "--purpose", "delivery",
                "SELECT person_id, full_name FROM person WHERE person_id BETWEEN 1 AND 10", leaked)
    whole = gateway.cli_json("trace", leaked, "--yes")
    assert whole["verdict"] == "this copy" and whole["records"] > 5 and whole["since"] is None
    retain(gateway, "--yes", "--forget-totals")
    since = gateway.admin("SHOW SINCE")[0]["since"]
    told = gateway.cli_json("trace", leaked, "--yes")
    assert (told["since"], told["verdict"], told["sources"][0]["copy"]) == (since, "cannot tell", "acme")
    assert told["records"] == whole["records"] and f"copies that were given before {since}" in told["why"]
    assert any(f"Records before {since} were dropped" in note for note in told["notes"])


def test_people_and_proofs_are_verified_in_what_is_left(gateway):
    """Proofs of non-exposure need nothing that was kept of before the cut."""
    retain(gateway, "--yes", "--forget-totals")
    shutil.rmtree(gateway.state_dir / "never")
    made = gateway.cli_json("ledger", "commit")
    assert (made["people"], made["computed"], made["gone"]) == (12, 12, 0) and marks(gateway) == (12, 12)
    told = gateway.cli("ledger", "verify", "--with-data", "--key", gateway.ledger_dir / "log.vkey")
    assert " all known" in told and f"never: the index of entry {made['sequence']} follows from" in told


def test_dropping_takes_two(old):
    """Evidence goes, and totals shrink: one proposes, another user carries out just that."""
    put_back(old)
    needs(old, 2)
    old.start()
    whole, total = segments(old.ledger_dir), ("acme", "total", "subjects")
    proposed = retain(old, "--yes", "--forget-totals")
    assert proposed["proposed"] and not proposed["dropped"]
    assert retain(old, "--yes", "--forget-totals")["proposed"], "nobody approves what is his own"
    told = old.cli("ledger", "retain", *WISH, "--dry-run")
    assert re.search(r"uid \d+ has proposed to drop those before 2025-01-01T00:00:00Z, below \d+, with --forget-totals", told)
    # The tests' own user is another one than the command line's. Another wish is a proposal of its own, as is a restart's.
    wish = "RETAIN BEFORE '2025-01-01' REASON 'kept for two years' BY 'the second'"
    assert "would count 12 people" in await_retention(old, wish)["message"]
    assert segments(old.ledger_dir)[0] == whole[0] and used(old)[total][0] == "38"
    done = await_retention(old, wish + " FORGET 'totals'")
    assert done["state"] == "done" and done["below"] == str(proposed["below"]) and "proposed_by" not in done
    assert segments(old.ledger_dir)[0] != whole[0] and used(old)[total][0] == "12"
    acts = [entry["text"].split(" reason=")[0] for entry in old.ledger() if entry.get("text", "").startswith("retain")]
    assert [act.split(" ")[0] for act in acts] == ["retain-proposed", "retain-proposed", "retain"]
    assert re.search(r" proposed-by=uid \d+ by=uid \d+ \(the second\)$", acts[-1]), acts
    put_back(old)
    old.start()
    retain(old, "--yes", "--forget-totals")
    old.restart()
    assert await_retention(old, wish + " FORGET 'totals'")["state"] == "proposed"
    assert segments(old.ledger_dir)[0] == whole[0]
    needs(old, 1)


def needs(gateway, users):
    gateway.settings["budget"] = {"approvals": users}
    gateway.write_config()


def await_retention(gateway, command):
    rows = gateway.admin(command)
    while any(row["value"] == "running" for row in rows):
        rows = gateway.admin("SHOW RETENTION")
    return {row["property"]: row["value"] for row in rows if row["partner"] is None}


def trace(gateway, numbers, *options, text=None):
    path = gateway.folder / "sample.csv"
    path.write_text(text or "person_id,full_name\n" + "".join(f"{n},Person {n}\n" for n in numbers))
    path.chmod(0o644)
    return gateway.cli_json("trace", path, *options)


def test_a_trace_knows_that_older_copies_are_missing(gateway):
    """Who had it before the cut is not known any more: only what was made for one copy alone still names it."""
    now, former = [n for n in range(35, 51) if n % 4], [1, 2, 3, 5, 6, 7]
    whole = trace(gateway, now)
    assert whole["verdict"] == "this copy" and whole["since"] is None and not any(
        source["older"] for source in whole["sources"]), whole
    retain(gateway, "--yes", "--forget-totals")
    since = gateway.admin("SHOW SINCE")[0]["since"]
    told = trace(gateway, now)
    assert told["verdict"] == "cannot tell" and told["since"] == since and (
        f"cannot tell between the copy given to acme and copies that were given before {since}") in told["why"], told
    first, second = told["sources"][:2]
    assert first["copy"] == "acme" and second["older"] and first["records"] == second["records"] == 12, told
    assert first["posterior"] == pytest.approx(second["posterior"]) and first["guilt_model"] < whole["sources"][0]["guilt_model"]
    assert all(f"in the records from {since} on" in record["why"] for record in told["deciding"]), told
    assert any(f"Records before {since} were dropped" in note and "--prior older=P" in note for note in told["notes"]), told
    page = gateway.cli("trace", gateway.folder / "sample.csv")
    assert "(an older copy, dropped)" in page and "at most 12" in page, page
    assert trace(gateway, now, "--prior", "older=0")["verdict"] == "this copy"
    gone = trace(gateway, former)
    assert gone["sources"][0]["older"] and "none that is known explains them" in gone["why"], gone
    assert gone["records_of_no_copy"] == 6 and any("an older copy, another source" in note for note in gone["notes"]), gone
    early = trace(gateway, now, "--leaked-before", "2024-06-01")
    assert early["verdict"] == "cannot tell" and early["sources"][0]["older"], early


def test_tokens_and_canaries_of_dropped_copies_still_decide(gateway):
    [canary] = [line for line in (gateway.folder / "export.csv").read_text().splitlines()[1:] if line != "41,Person 41"]
    retain(gateway, "--yes", "--forget-totals")
    token = trace(gateway, [], text=f"who\n{gateway.token}\n")
    assert token["verdict"] == "this copy" and token["sources"][0]["copy"] == "rival" and token["by_token"] == 1, token
    report = trace(gateway, [], text=f"person_id,full_name\n{canary}\n")
    assert report["verdict"] == "this copy" and report["sources"][0]["copy"] == "acme", report
    assert report["parts"][0]["delivery"].startswith("D-") and report["parts"][0]["posterior"] == 1, report
    assert any("which people were in it was dropped" in note for note in report["notes"]), report
    identity, since = report["parts"][0]["delivery"], gateway.admin("SHOW SINCE")[0]["since"]
    shown = {row["property"]: row["value"] for row in gateway.admin(f"SHOW DELIVERY '{identity}'")}
    assert shown["since"] == since and shown["people_released"] is None and shown["outcome"] == "complete", shown
    assert shown["canaries"] == "1" and "Its acts were kept" in shown["dropped"], shown
    assert "Retention dropped the entries that say who was in it" in gateway.cli("export", "--show", identity)
    later = json.loads(gateway.cli("export", "--partner", "acme", "--purpose", "delivery", "--json",
                                   "SELECT full_name FROM person WHERE person_id = 42", gateway.folder / "later.csv"))
    shown = {row["property"]: row["value"] for row in gateway.admin(f"SHOW DELIVERY '{later['delivery']}'")}
    assert shown["since"] is None and shown["people_released"] == "1" and "dropped" not in shown, shown
