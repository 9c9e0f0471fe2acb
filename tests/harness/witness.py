"""A witness (C2SP tlog-witness): remembers the largest checkpoint of each log that it was told of, checks signature and consistency proof itself, cosigns, keeps its state in a file."""
import base64
import hashlib
import http.server
import json
import ssl
import threading
import time

from harness.notes import Cosigner, Key, Note


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def consistent(old, old_root, new, new_root, proof):
    """RFC 9162, section 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof
    proof = list(proof)
    if old & (old - 1) == 0:
        proof.insert(0, old_root)
    if not proof:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for hash_ in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(hash_, fr), node(hash_, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, hash_)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and (fr, sr) == (old_root, new_root)


class Refusal(Exception):
    """code, body, Content-Type"""


class Witness:
    """Serves on a free port of this machine until close(). tls: (certificate, key) files.

    seen: the requests, as (old size, HTTP code). answer: a function from (code, body, type) to
    what is sent instead.
    """

    def __init__(self, state, name="witness.example/w", tls=None):
        self.cosigner, self.state, self.logs, self.seen = Cosigner(name), state, {}, []
        self.vkey, self.lock, self.answer = self.cosigner.vkey, threading.Lock(), lambda *told: told
        if not state.exists():
            state.write_text("{}")
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code, answer, kind = witness.handle(self.path, body.decode())
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        host = "localhost" if tls else "127.0.0.1"
        self.url = f"{scheme}://{host}:{self.server.server_port}/w/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def trust(self, vkey):
        key = Key(vkey)
        self.logs.setdefault(key.name, []).append(key)

    def remembered(self, origin):
        return json.loads(self.state.read_text()).get(origin, {"size": 0, "root": ""})

    def handle(self, path, text):
        old = None
        try:
            if path != "/w/add-checkpoint":
                raise Refusal(404, "no such page\n")
            with self.lock:
                head, _, note = text.partition("\n\n")
                first, *lines = head.split("\n")
                assert first.startswith("old ") and len(lines) <= 63
                old = int(first[4:])
                told = 200, self.add(old, [base64.b64decode(line, validate=True) for line in lines], Note(note))
        except Refusal as refusal:
            told = refusal.args[:2]
            if len(refusal.args) > 2:
                told = refusal.args
        except (AssertionError, AttributeError, ValueError):
            told = 400, "malformed\n"
        self.seen.append((old, told[0]))
        code, body, kind = self.answer(*(*told, "text/plain")[:3])
        return code, body.encode(), kind

    def add(self, old, proof, note):
        origin, size, root = note.checkpoint()
        if origin not in self.logs:
            raise Refusal(404, "unknown log\n")
        if not any(note.signed_by(key) for key in self.logs[origin]):
            raise Refusal(403, "not signed by a known key\n")
        if old > size:
            raise Refusal(400, "old size over size\n")
        before = self.remembered(origin)
        conflict = Refusal(409, f"{before['size']}\n", "text/x.tlog.size")
        if old != before["size"] or (old == size and before["root"] != root.hex()):
            raise conflict
        if old > 0 and not consistent(old, bytes.fromhex(before["root"]), size, root, proof):
            raise Refusal(422, "the proof does not hold\n")
        state = json.loads(self.state.read_text())
        state[origin] = {"size": size, "root": root.hex()}
        self.state.write_text(json.dumps(state))
        return self.cosigner.line(note.text, int(time.time()))
