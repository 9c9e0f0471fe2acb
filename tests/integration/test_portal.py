"""After a breach, anybody can see what happened, check a message, and ask to be told; nobody learns from the
page, its headers or its pace whether somebody else is affected.

Every asker has an address of its own: these portals believe 127.0.0.1 as their proxy.
"""
import concurrent.futures
import http.client
import os
import random
import re
import select
import socket
import ssl
import stat
import subprocess
import time

import pytest

from harness import examples, places
from harness.portal import REQUEST_BYTES, Asker, Portal, Site, address, browse, steady, user
from harness.pace import ask_many, judge_times

SEED = int(os.environ.get("COFFERDAM_SEED", "20261122"))
PATIENCE_S = 15  # of the portal with one request
PAGES = ["", "genuine", "affected"]
WELL_FORMED = "7K2M-9QXB-4TFD-03WA-8HNE-"


@pytest.fixture(scope="module")
def site():
    made = Site()
    yield made
    made.close()


@pytest.fixture(scope="module")
def portal(site):
    running = Portal(site)
    yield running
    running.close()


@pytest.fixture(scope="module", autouse=True)
def begun(site, portal):
    """What takes its time by waiting is begun first, before a portal of its own: name -> future. Its tests stand
    below and look at what came of it."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield {"trickle": pool.submit(alone, site, trickle), "nonsense": pool.submit(alone, site, send_nonsense)}


def alone(site, what):
    running = Portal(site)
    try:
        return what(running)
    finally:
        running.close()


@pytest.fixture
def asker(portal):
    asking = Asker(portal, address(random.Random().getrandbits(24)))
    yield asking
    asking.close()


def check_symbol(digits):
    """Crockford's: the number modulo 37."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
    number = 0
    for digit in digits:
        number = number * 32 + alphabet.index(digit)
    return alphabet[number % 37]


def stranger(rng):
    """A well-formed reference that nobody was sent."""
    digits = "".join(rng.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(20))
    return digits + check_symbol(digits)


# ---- what people see ----


@pytest.fixture(scope="module")
def visits(site, portal):
    """Every page in both languages and brands, as Chromium shows it: name -> result. COFFERDAM_SCREENSHOTS=FOLDER in
    the environment keeps a picture of each."""
    plan = {}
    for language in ("en", "fr"):
        for host in ("meridian.example", "dacre.example"):
            for page in PAGES:
                plan[language, host, page] = {"url": portal.url(f"/{language}/{page}", host), "axe": True,
                                              "keys": 11 if host == "meridian.example" else 0}
        here = {"axe": True, "width": 320}
        for page in PAGES:
            plan[language, "narrow", page] = {"url": portal.url(f"/{language}/{page}"), **here}
        genuine, affected = portal.url(f"/{language}/genuine"), portal.url(f"/{language}/affected")
        plan[language, "known"] = {"url": genuine, "fill": {"#reference": site.valid[0][1].lower()},
                                   "submit": "button", **here}
        plan[language, "unknown"] = {"url": genuine, "fill": {"#reference": "1234"}, "submit": "button", **here}
        plan[language, "taken"] = {"url": affected, "fill": {"#email": "a@b.example"}, "submit": "button", **here}
        plan[language, "missing"] = {"url": portal.url(f"/{language}/x"), **here}
        plan[language, "no script"] = {"url": genuine, "script": False, "submit": "button",
                                       "fill": {"#reference": site.valid[4][1].replace("-", " ")}}
    plan["letter"] = {"url": portal.url("/en/affected"), "script": False, "submit": "form:last-of-type button",
                      "fill": {"#name": "Zoë Léger", "#postcode": "BA1 1AA"}}
    plan["root"] = {"url": portal.url("/"), "language": "fr-CH, en;q=0.5"}
    if pictures := os.environ.get("COFFERDAM_SCREENSHOTS"):
        os.makedirs(pictures, exist_ok=True)
        for name, visit in plan.items():
            words = "-".join(name) if isinstance(name, tuple) else name
            visit["screenshot"] = os.path.join(pictures, words.strip("-").replace(" ", "-") + ".png")
    return dict(zip(plan, browse(list(plan.values()))))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_examples_are_what_is_shown(visits, language):
    for page in PAGES:
        examples.compare(f"portal-{page or 'index'}.{language}.txt", visits[language, "meridian.example", page]["shown"])
    for page in ("known", "unknown", "taken"):
        examples.compare(f"portal-{page}.{language}.txt", visits[language, page]["shown"])


def test_every_page_is_accessible(visits):
    judged = {name: visit["violations"] for name, visit in visits.items() if "violations" in visit}
    assert len(judged) == 26
    assert {name: found for name, found in judged.items() if found} == {}


def test_no_page_is_wider_than_a_telephone(visits):
    assert [name for name, visit in visits.items() if visit.get("overflows")] == []


def test_pages_ask_nobody_else_for_anything(visits, portal):
    for name, visit in visits.items():
        hosts = {re.match(r"\w+://([^/:]+)", url).group(1) for url in visit["requests"]}
        assert hosts <= {"meridian.example", "dacre.example"}, name
        allowed = ["status of 404"] if name[-1] == "missing" else []
        assert [c for c in visit["complaints"] if not any(word in c for word in allowed)] == [], name


def test_the_keyboard_reaches_everything_in_the_order_of_reading(visits):
    forms = {"": ["genuine", "affected"], "genuine": ["reference", "Check"],
             "affected": ["email", "Ask for an answer by email", "name", "postcode", "Ask for an answer by letter"]}
    for page, form in forms.items():
        seen = visits["en", "meridian.example", page]["focus"]
        expected = ["#main", "./", "genuine", "affected", *form, "mailto:dpo@meridian.example", f"../fr/{page}"]
        assert [at["what"] for at in seen[:len(expected)]] == expected
        assert [at for at in seen[:len(expected)] if not at["visible"]] == []


def test_brand_and_language_follow_host_and_path(visits):
    assert visits["en", "meridian.example", ""]["title"] == "What happened – Meridian"
    assert visits["fr", "dacre.example", ""]["title"] == "Ce qui s’est passé – Dacre & Sons <Cars>"
    assert visits["root"]["at"].endswith("/fr/")


def test_the_page_tells_what_happened_and_what_our_messages_look_like(visits):
    text = visits["en", "dacre.example", ""]["text"]
    for words in ("copied data from it", "privacy@dacre.example", "Dacre: a data breach that affects you",
                  "We never ask", "We never link", "from 26 November 2026 on", "Imogen Hartley", "+44 1632 960100"):
        assert words in text, words
    assert "privacy@meridian.example" not in text


def test_a_genuine_reference_shows_the_message_to_compare(visits):
    for name in (("en", "known"), ("en", "no script")):
        text = visits[name]["text"]
        for words in ("Compare it with what you have in hand", "26 November 2026", "privacy@meridian.example",
                      "Meridian: a data breach that affects you", "There has been a data breach at a company"):
            assert words in text, (name, words)
    assert visits["fr", "known"]["title"].startswith("Nous avons envoyé un message")
    assert visits["en", "unknown"]["title"].startswith("We cannot confirm")
    assert visits["letter"]["title"] == visits["en", "taken"]["title"] == "We have your question – Meridian"


def test_redirects_stay_below_the_path_of_the_proxy(asker):
    for path in ("", "genuine", "affected"):
        status, headers, _ = asker.get(f"/{path}")
        assert (status, dict(headers)["Location"]) == (303, f"en/{path}")


def test_pages_carry_headers_that_keep_them_to_themselves(asker):
    status, headers, _ = asker.get("/en/")
    headers = dict(headers)
    assert status == 200
    assert headers["Content-Security-Policy"] == ("default-src 'none'; style-src 'self'; form-action 'self'; "
                                                  "frame-ancestors 'none'; base-uri 'none'")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert not {"Set-Cookie", "Server", "ETag", "Last-Modified"} & set(headers)


# ---- what nobody can learn ----


def test_references_are_forgiven_what_people_type(site, asker):
    issue, reference = site.valid[7]
    bodies = {asker.post("/en/genuine", {"reference": typed})[2]
              for typed in (reference, reference.lower(), reference.replace("-", ""), f"  {reference} ",
                            reference.replace("-", " "), reference.replace("0", "o").replace("1", "l"))}
    assert len(bodies) == 1 and b"Compare it with" in bodies.pop()


def test_unknown_malformed_and_expired_references_look_alike(site, asker):
    rng = random.Random(SEED)
    asked = [stranger(rng), "", "x", WELL_FORMED + check_symbol(WELL_FORMED.replace("-", "")), "%00", "é" * 40,
             site.too_old[0][1], site.too_old[50][1], site.valid[0][1][:-1]]
    answers = [asker.post("/en/genuine", {"reference": typed}) for typed in asked]
    answers += [asker.post("/en/genuine", body) for body in ("", "nothing", "reference=%zz", b"reference=\xff")]
    first = answers[0]
    assert first[0] == 200 and b"We cannot confirm" in first[2]
    for typed, answer in zip([*asked, "raw"] * 2, answers):
        assert (answer[0], steady(answer[1]), answer[2]) == (first[0], steady(first[1]), first[2]), typed


def test_questions_leave_the_same_traces_whoever_is_asked_about(site, portal):
    before = set(site.queued())
    asked = [{"email": "imogen@meridian.example"}, {"email": "stranger@example.org"}, {"email": "no address"},
             {"email": ""}, {"email": "x" * 300 + "@example.org"}, {"name": "Zoë", "postcode": "BA1 1AA"},
             {"name": "Zoë"}, {}, {"email": "a@b.example\r\nBcc: c@d.example"}]
    answers = []
    for number, fields in enumerate(asked):
        asking = Asker(portal, f"203.0.113.{number}")
        answers.append(asking.post("/en/affected", fields))
        asking.close()
    first = answers[0]
    for fields, answer in zip(asked, answers):
        assert (answer[0], steady(answer[1]), answer[2]) == (200, steady(first[1]), first[2]), fields
    new = set(site.queued()) - before
    assert len(new) == len(asked)
    for path in new:
        about = path.stat()
        assert re.fullmatch(r"[0-9a-f]{32}\.request", path.name)
        assert (about.st_size, stat.S_IMODE(about.st_mode)) == (REQUEST_BYTES, 0o444)
        content = path.read_bytes()
        assert b"meridian" not in content and "Zoë".encode() not in content and b"stranger" not in content


def test_references_that_are_not_vouched_for_cannot_be_told_apart(site, portal):
    """1,500 references: unknown, malformed, and real ones that are too old."""
    rng = random.Random(SEED + 1)
    questions = [("unknown", {"reference": stranger(rng)}) for _ in range(500)]
    questions += [("malformed", {"reference": "%x" % rng.getrandbits(90)}) for _ in range(500)]
    questions += [("too old", {"reference": rng.choice(site.too_old)[1]}) for _ in range(500)]
    rng.shuffle(questions)
    results = ask_many(portal, "/en/genuine", questions)
    assert len({answer for _, _, answer in results}) == 1
    judge_times(results)


# ---- limits ----


def statuses_of(ask, most, more):
    """The statuses of so many questions, `more` after the others: ask(number) is one."""
    with concurrent.futures.ThreadPoolExecutor(most) as pool:  # answers come in step, so they are awaited together
        return list(pool.map(ask, range(most))) + [ask(number) for number in range(most, most + more)]


def asking_from(portal, where, path="/en/genuine", fields={}):
    """ask(number), each on a connection of its own; where(number) tells the address."""
    def ask(number):
        asking = Asker(portal, where(number))
        try:
            return asking.post(path, fields)[0]
        finally:
            asking.close()
    return ask


@pytest.mark.parametrize("path, most", [("/en/genuine", 20), ("/en/affected", 10)])
def test_an_address_may_ask_so_many_times(portal, path, most):
    asking, other = Asker(portal, "198.51.100.7"), Asker(portal, "198.51.100.8")
    ask = asking_from(portal, lambda _: "198.51.100.7", path, {"reference": "x", "email": "a@b.example"})
    assert statuses_of(ask, most, 5) == [200] * most + [429] * 5
    answers = {asking.post(path, fields)[2] for fields in ({"reference": "x"}, {"email": "c@d.example"}, {})}
    assert len(answers) == 1 and b"Too many questions" in answers.pop()
    assert other.post(path, {})[0] == 200
    asking.close(), other.close()


def test_a_network_of_ipv6_counts_as_one(portal):
    ask = asking_from(portal, lambda number: f"2001:db8:7:7::{number:x}")
    assert statuses_of(ask, 20, 2) == [200] * 20 + [429] * 2


def test_only_the_proxy_is_believed(site):
    running = Portal(site, proxy="127.0.0.9")
    try:
        assert statuses_of(asking_from(running, address), 20, 2) == [200] * 20 + [429] * 2
    finally:
        running.close()


def test_the_last_address_is_the_proxys_own_word(portal):
    ask = asking_from(portal, lambda number: f"{address(number)}, 198.51.100.99")
    assert statuses_of(ask, 20, 2) == [200] * 20 + [429] * 2


def test_the_last_header_is_the_proxys_own(portal):
    """HAProxy adds a header of its own behind what a client sent."""
    body = b"reference=x"

    def ask(number):
        asking = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=10)
        asking.putrequest("POST", "/en/genuine")
        for name, value in (("X-Forwarded-For", address(number)), ("X-Forwarded-For", "198.51.100.98"),
                            ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", len(body))):
            asking.putheader(name, value)
        asking.endheaders(body)
        status = asking.getresponse().status
        asking.close()
        return status
    assert statuses_of(ask, 20, 2) == [200] * 20 + [429] * 2


# ---- strangers who mean harm ----


def raw(portal, data, seconds=5):
    """What comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", portal.port), timeout=seconds) as connection:
        received = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received += part
        except OSError:
            pass  # it hung up
        return received


def test_methods_paths_and_types_that_do_not_exist(asker):
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"):
        assert asker.request(method, "/en/")[0] == 405, method
    assert asker.post("/en/", {})[0] == 405
    assert asker.post("/style.css", {})[0] == 405
    assert asker.request("HEAD", "/en/")[0] == 200
    for path in ("/en/../../etc/passwd", "/../site", "/en/%2e%2e/%2e%2e/site", "/en/genuine/", "/en/genuine.html",
                 "/meridian/en/index.html", "/marks", "/site", "/current/site", "/en//", "//en/",
                 "/xx/", "/" + "a" * 5000, "/en/issue-1-0", "/en/taken"):
        status, _, body = asker.get(path)
        assert status == 404 and b"mark-key" not in body and b"root:" not in body, path
    assert asker.request("POST", "/en/genuine", "{}", **{"Content-Type": "application/json"})[0] == 415
    assert asker.request("POST", "/en/genuine", "x", **{"Content-Type": "multipart/form-data"})[0] == 415
    assert asker.get("/en/genuine?reference=x")[0] == 200


def test_bodies_have_a_bound(portal):
    head = b"POST /en/genuine HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    for length in (5000, 10 ** 9, 10 ** 30):
        answer = raw(portal, head + b"Content-Length: %d\r\n\r\n" % length + b"a" * 4000)
        assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")), (length, answer[:60])
    chunks = b"fa0\r\n" + b"a" * 4000 + b"\r\n"
    assert raw(portal, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 50) == b""
    assert b"HTTP/1.1 200" in raw(portal, head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")


def test_a_body_has_one_length(portal):
    """Where a proxy believes the one header and we the other, the next visitor's request would be a part of this."""
    head = b"POST /en/affected HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    hidden = b"GET /en/ HTTP/1.1\r\nHost: x\r\n\r\n"
    for lengths, body in ((b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
                          (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
                          (b"Content-Length: 4\r\nContent-Length: 0\r\n", b"abcd"),
                          (b"Content-Length: 0\r\nContent-Length: 4\r\n", b"")):
        answer = raw(portal, head + lengths + b"\r\n" + body + hidden)
        assert answer.startswith(b"HTTP/1.1 400") and answer.count(b"HTTP/1.1 ") == 1, (lengths, answer[:80])


def send_nonsense(portal):
    """(what was sent, what came back) of each."""
    rng = random.Random(SEED)
    lines = [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
             b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
             b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000, b"G" * 100000,
             b"POST /en/genuine HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
             b"POST /en/genuine HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
             b"GET /en/ HTTP/1.1\r\nHost: x\r\nAccept-Language: " + b"fr;q=0.1," * 1000 + b"\r\n\r\n"]
    lines += [rng.randbytes(rng.randrange(2000)) for _ in range(50)]
    with concurrent.futures.ThreadPoolExecutor(len(lines)) as pool:  # some wait until the portal has had enough
        answers = list(pool.map(lambda line: raw(portal, line), lines))
    asking = Asker(portal, address(1))
    answers.append(asking.get("/en/")[0])
    asking.close()
    return lines, answers


def test_nonsense_does_no_harm(begun):
    lines, (*answers, status) = begun["nonsense"].result()
    assert [line for line, answer in zip(lines, answers, strict=True) if b"mark-key" in answer or b" 200 " in answer[:20]
            and not line.startswith(b"GET /en/")] == []
    assert status == 200


def trickle(portal):
    """A hundred connections that trickle, from one address each; pages and answers go on meanwhile. (connections
    that are open at the end, seconds it took, (status, seconds) of each answer meanwhile)"""
    slow = [socket.create_connection(("127.0.0.1", portal.port)) for _ in range(100)]
    started = time.monotonic()
    open_ones, answers = set(slow), []
    for connection in slow:
        connection.sendall(b"POST /en/genuine HTTP/1.1\r\nHost: x\r\nX: ")
        connection.setblocking(False)
    while open_ones and time.monotonic() - started < PATIENCE_S + 10:
        for connection in list(open_ones):
            try:
                connection.send(b"y")
                if connection.recv(1000) == b"":
                    open_ones.discard(connection)
            except BlockingIOError:
                pass
            except ConnectionError:
                open_ones.discard(connection)
        asking = Asker(portal, address(int(time.monotonic() * 1000)))
        asked = time.monotonic()
        answers.append((asking.post("/en/genuine", {})[0], time.monotonic() - asked))
        asking.close()
        time.sleep(0.5)
    for connection in slow:
        connection.close()
    return len(open_ones), time.monotonic() - started, answers


def test_slow_connections_end_and_stop_nobody(begun):
    still_open, seconds, answers = begun["trickle"].result()
    assert not still_open, f"{still_open} of 100 are still open after {seconds:.0f} s"
    assert {status for status, _ in answers} == {200} and max(waited for _, waited in answers) < 5, answers


# ---- what the process can reach ----


def test_the_process_has_given_up_what_it_does_not_need(site, portal):
    pid = portal.process.pid
    about = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status").read().splitlines())
    assert (about["NoNewPrivs"], about["Seccomp"], int(about["CapEff"], 16)) == ("1", "2", 0)
    folder = f"/proc/{pid}/fd"
    if os.getuid() != 0:  # the kernel shows root alone what it has open, as it does not show the portal's own user
        with pytest.raises(PermissionError):
            os.listdir(folder)
        return
    assert about["Uid"].split() == [str(user().pw_uid)] * 4 and about["Groups"].strip() == ""
    files = {os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
    others = {file for file in files if not file.startswith(("socket:", "anon_inode:", "/dev/null"))}
    assert others == {str(site.folder), str(site.queue), str(portal.log)}
    sockets = {file[len("socket:["):-1] for file in files if file.startswith("socket:")}
    table = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
    ports = {int(row[1].split(":")[1], 16) for row in table if row[9] in sockets}
    assert ports == {portal.port}, "it listens, and connects to nobody"
    assert sockets & {line.split()[6] for line in open("/proc/net/unix").readlines()[1:]} == set()


def test_what_its_starter_left_open_is_closed(site):
    reading, writing = os.pipe()
    running = Portal(site, keep=(writing,))
    try:
        os.close(writing)  # now a portal that kept it would be the only one that has it
        assert select.select([reading], [], [], 5)[0], "the portal has the pipe's other end open"
        assert os.read(reading, 1) == b""
    finally:
        running.close()
        os.close(reading)


def test_its_user_reaches_neither_ledger_nor_gateway_nor_database(shop_gateway, cluster, site):
    if os.getuid() != 0:  # one user only: then it is the process that can open, connect and start nothing
        proof = places.binary().parent / "tests/unit/portal/test_portal_confine"
        done = subprocess.run([str(proof)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return
    shop_gateway.rows("acme.cert", "SELECT full_name FROM person WHERE person_id = 1")
    assert user().pw_uid not in (shop_gateway.user.pw_uid, cluster.user.pw_uid)

    def as_portal(*command):
        process = places.popen_as(user(), command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        output = process.communicate(timeout=30)[0]
        return process.returncode, output

    secrets = [path for path in shop_gateway.state_dir.rglob("*") if path.is_file()]
    assert {"registry.sqlite", "token.key"} <= {path.name for path in secrets}
    assert any("ledger" in path.parts for path in secrets)
    for path in [*secrets, shop_gateway.folder / "upstream.password"]:
        code, output = as_portal("cat", path)
        assert code != 0 and "Permission denied" in output, (path, output[:200])
    admin = f"host={shop_gateway.run_dir} port=5432 dbname=cofferdam user=cofferdam"
    code, output = as_portal(places.POSTGRES_BIN / "psql", admin, "-w", "-c", "SHOW PARTNERS")
    assert code != 0, output
    for host in (cluster.folder, "127.0.0.1"):
        url = f"host={host} port={cluster.port} dbname={shop_gateway.database} user={shop_gateway.role}"
        code, output = as_portal(places.POSTGRES_BIN / "psql", url, "-w", "-c", "SELECT 1")
        assert code != 0, (host, output)
    assert as_portal("ls", site.queue)[0] != 0


# ---- running it ----


def run(*options):
    command = [places.binary(), "portal", *options]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30)


def test_it_does_not_run_as_root_nor_in_the_clear(site):
    where = ["--folder", site.folder, "--queue", site.queue]
    done = run(*where, "--listen", "0.0.0.0:0")
    assert done.returncode == 1 and "does not travel in the clear" in done.stderr
    assert "--certificate" in done.stderr
    done = run(*where, "--listen", "nowhere")
    assert done.returncode == 1 and "no address to listen on" in done.stderr
    done = run(*where, "--listen", "127.0.0.1:0", "--key", "x")
    assert done.returncode == 2 and "go together" in done.stderr
    if os.getuid() == 0:
        done = run(*where, "--listen", "127.0.0.1:0")
        assert done.returncode == 1 and "does not run as root" in done.stderr
        done = run(*where, "--listen", "127.0.0.1:0", "--user", "root")
        assert done.returncode == 1 and "does not run as root" in done.stderr


def test_it_says_what_is_missing_of_what_was_published(site):
    empty = places.make_folder("empty")
    as_user = ["--user", user().pw_name] if os.getuid() == 0 else []
    done = run("--folder", empty, "--queue", site.queue, "--listen", "127.0.0.1:0", *as_user)
    assert done.returncode == 1 and "nothing has been published" in done.stderr
    assert "incident publish" in done.stderr
    places.remove_folder(empty)


def test_tls(site, authority):
    certificate, key = authority.server()
    running = Portal(site, "--certificate", certificate, "--key", key, proxy=None)
    try:
        context = ssl.create_default_context(cafile=str(authority.certificate))
        context.check_hostname = False
        with socket.create_connection(("127.0.0.1", running.port)) as plain, context.wrap_socket(plain) as secure:
            assert secure.version() in ("TLSv1.2", "TLSv1.3")
            secure.sendall(b"GET /en/ HTTP/1.0\r\nHost: meridian.example\r\n\r\n")
            answer = b""
            while part := secure.recv(65536):
                answer += part
        assert answer.startswith(b"HTTP/1.") and b"200 OK" in answer and b"Strict-Transport-Security: " in answer
    finally:
        running.close()


def test_a_new_generation_is_served_within_seconds():
    site = Site(references=10, expired=0)
    running = Portal(site)
    asking = Asker(running, "192.0.2.77")
    try:
        first = site.references[0][1]
        assert b"Compare it" in asking.post("/en/genuine", {"reference": first})[2]
        second = site.publish(2, 10)[3][1]
        running.wait_for(r"event=portal_generation generation=\S+ marks=20 issues=8")
        assert b"Compare it" in asking.post("/en/genuine", {"reference": second})[2]
        assert b"Compare it" in asking.post("/en/genuine", {"reference": first})[2]
        assert asking.get("/en/")[2].count(b"Data breach at a company") == 2
        (site.folder / "current").unlink()
        (site.folder / "current").symlink_to("g-none")
        running.wait_for(r"event=portal_generation_refused")
        assert b"Compare it" in asking.post("/en/genuine", {"reference": second})[2]
    finally:
        asking.close()
        running.close()
        site.close()


def test_a_queue_that_takes_nothing_is_told_to_everybody():
    site = Site(references=4, expired=0)
    running = Portal(site)
    asking = Asker(running, "192.0.2.78")
    try:
        site.queue.chmod(0o555)
        answers = [asking.post("/en/affected", fields) for fields in ({"email": "a@b.example"}, {}, {"email": "x"})]
        assert {answer[0] for answer in answers} == {503}
        assert len({answer[2] for answer in answers}) == 1 and b"was not taken" in answers[0][2]
        site.queue.chmod(0o1733)
        assert asking.post("/en/affected", {"email": "a@b.example"})[0] == 200
    finally:
        asking.close()
        running.close()
        site.close()
