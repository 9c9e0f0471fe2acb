"""A receiver of alarms: a real HTTP server that believes no signature but a good one of the last five minutes, as cofferdam(1) tells receivers to.

    with Receiver(secret, answers=[500, 503]) as receiver:
        receiver.url, receiver.until(1)  # what was taken: dicts
"""
import hashlib
import hmac
import http.server
import json
import threading
import time


def verify(secret, header, body, now=None):
    """The recipe of cofferdam(1). Raises ValueError."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    if abs((now or time.time()) - int(parts["t"])) > 300:
        raise ValueError("too old")
    wanted = hmac.new(secret, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, parts["v1"]):
        raise ValueError("not signed by Cofferdam")


class Receiver:
    """answers: codes of the first requests; after those 200. seen: (code, id, signed?) of each request."""

    def __init__(self, secret, answers=(), port=0):
        self.secret, self.answers, self.seen, self.taken = secret, list(answers), [], []
        self.changed = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code = receiver.handle(self.headers, body)
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alarms"
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle(self, headers, body):
        with self.changed:
            event, signed = headers["Cofferdam-Alarm"], True
            try:
                verify(self.secret, headers["Cofferdam-Signature"], body)
            except (ValueError, KeyError, TypeError):
                signed = False
            code = self.answers.pop(0) if self.answers else 200 if signed else 400
            if code == 200:
                self.taken.append(json.loads(body) | {"header": event})
            self.seen.append((code, event, signed))
            self.changed.notify_all()
            return code

    def until(self, count, seconds=10):
        """The alarms taken, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.taken) >= count, seconds), self.seen
            return list(self.taken)

    def until_seen(self, count, seconds=10):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, seconds), self.seen
            return list(self.seen)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
