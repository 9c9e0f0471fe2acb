"""Containment test: how long the cut of a busy partner takes, and what the others feel of it.

    tests/run containment [--sessions 200] [--rounds 3] [--cut-ms 250] [--ratio 1.2]

Each round one partner has that many sessions at work: streams read at a pace, clients that do not read, point look-ups,
COPY, cursors, sessions idle in a transaction. Four sessions of another partner look up single rows at a steady rate. Then
`partner contain` runs. cut_ms is the worst that the gateway measured, client_ms the worst time from the command's start to
the last byte that a client got that reads at once. other_p99_ratio is the other partner's 99th percentile within a second
from the command on, over that of the four seconds before, all rounds together; noise_ratio the same for the last second
before. Every client must have been ended, and be refused afterwards.
    RESULT sessions=… rounds=… cut_ms=… upstream_ms=… client_ms=… other_p99_ms=… other_p99_ratio=… noise_ratio=… samples=…
"""
import gc
import json
import multiprocessing
import select
import sys
import threading
import time

import psycopg

from harness import cluster as clusters
from harness import longrun, shop
from harness.rawclient import Closed, RawClient

LONG = "SELECT p.full_name FROM person p, purchase a, purchase b, purchase c"
BEFORE_S, DURING_S, PAUSE_S, CROWDS = 4.0, 1.0, 0.004, 4
KINDS = ("stream", "deaf", "point", "copy", "cursor", "idle")


def work(kind, client, number):
    """Until the session ends; Closed or a broken connection is the end."""
    if kind in ("stream", "copy", "deaf"):
        client.send(client.simple(f"COPY ({LONG}) TO STDOUT" if kind == "copy" else LONG))
        if kind == "deaf":
            gone = select.poll()
            gone.register(client.socket, select.POLLRDHUP)
            gone.poll(100000)
            return
        while True:
            client.socket.recv(16384)[0]  # nothing: it has ended
            time.sleep(0.1)
    elif kind == "point":
        while True:
            client.query(f"SELECT full_name FROM person WHERE person_id = {1 + number % 40}")
            time.sleep(0.1)
    else:
        client.query("BEGIN")
        client.query(f"DECLARE c CURSOR FOR {LONG}" if kind == "cursor" else "SELECT 1")
        while True:
            if kind == "cursor":
                client.query("FETCH 20 FROM c")
                time.sleep(0.1)
            else:
                client.receive()


class Timed(RawClient):
    """Knows when its last byte came."""
    last = 0.0

    def receive(self):
        message = super().receive()
        self.last = time.monotonic()
        return message


def victim(gateway, kind, number, ready, ended):
    client = Timed(gateway, "acme.cert", timeout=300, receive_buffer=4096 if kind == "deaf" else None)
    if kind in ("stream", "copy"):
        read = client.socket.recv

        def recv(size):
            data = read(size)
            if data:
                client.last = time.monotonic()
            return data

        client.socket.recv = recv
    ready.release()
    why = "reset"
    try:
        work(kind, client, number)
    except (Closed, OSError, IndexError) as error:
        why = repr(error)
    ended.append((kind, client.last, why))
    client.close()


def victims(gateway, count, ready, results):
    """A process with a thread for each session."""
    semaphore, ended = threading.Semaphore(0), []
    threads = [threading.Thread(target=victim, args=(gateway, KINDS[n % len(KINDS)], n, semaphore, ended), daemon=True)
               for n in range(count)]
    for number, thread in enumerate(threads):
        thread.start()
        semaphore.acquire(timeout=30)
    time.sleep(0.5)
    ready.put((sum(thread.is_alive() for thread in threads), ended[:3]))
    deadline = time.monotonic() + 120
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    results.put(ended)


def bystander(gateway, stop, results):
    """One session that looks up a row every few milliseconds, in a process of its own."""
    gc.disable()
    samples = []
    with gateway.connect("rival.cert") as connection:
        cursor = connection.cursor()
        for number in range(1 << 30):
            if stop.is_set():
                break
            began = time.monotonic()
            cursor.execute("SELECT full_name FROM person WHERE person_id = %s", (1 + number % 40,), prepare=True).fetchall()
            samples.append((began, time.monotonic() - began))
            time.sleep(PAUSE_S)
    results.put(samples)


def percentile(samples, share=0.99):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Cut(longrun.Stage):
    def __init__(self, sessions):
        clusters.SETTINGS += f"max_connections = {sessions + 60}\n"
        super().__init__()
        self.sessions = sessions
        self.start(shop.SQL, shop.POLICY, {"upstream": {"max_connections": sessions + 20}})
        for agent in ("acme.cert", "rival.cert"):
            self.gateway.parameters(agent)  # makes its certificate, once for all processes

    def round(self):
        """(what contain said, when it began, times of the clients, samples of the others)"""
        stop, ready = multiprocessing.Event(), multiprocessing.Queue()
        heard, ended = multiprocessing.Queue(), multiprocessing.Queue()
        shares = [self.sessions // CROWDS + (n < self.sessions % CROWDS) for n in range(CROWDS)]
        crowds = [multiprocessing.Process(target=victims, args=(self.gateway, n, ready, ended)) for n in shares]
        for process in crowds:
            process.start()
        states = [ready.get(timeout=200) for _ in crowds]
        alive = sum(count for count, _ in states)
        assert alive == self.sessions, f"only {alive} of {self.sessions} sessions are at work: {states}"
        others = [multiprocessing.Process(target=bystander, args=(self.gateway, stop, heard)) for _ in range(4)]
        for process in others:
            process.start()
        time.sleep(BEFORE_S + 1.0)
        began = time.monotonic()
        told = json.loads(self.gateway.cli("partner", "contain", "acme", "--reason", "measured", "--json"))[0]
        time.sleep(max(0.0, began + DURING_S + 0.2 - time.monotonic()))
        stop.set()
        samples = [sample for _ in others for sample in heard.get(timeout=30)]
        clients = [client for _ in crowds for client in ended.get(timeout=150)]
        for process in (*others, *crowds):
            process.join(30)
        return told, began, clients, samples

    def refused(self):
        try:
            self.gateway.connect("acme.cert").close()
        except psycopg.OperationalError as error:
            return "contained" in str(error)
        return False


def measure(rounds, sessions):
    """The figures of the RESULT line, and what is broken."""
    stage, broken = Cut(sessions), []
    windows, told, client_ms = {"before": [], "last": [], "during": []}, [], []
    try:
        for number in range(rounds):
            answer, began, clients, samples = stage.round()
            told.append(answer)
            for at, seconds in samples:
                if began - BEFORE_S <= at < began:
                    windows["before"].append(seconds)
                    if at >= began - DURING_S:
                        windows["last"].append(seconds)
                elif began <= at < began + DURING_S:
                    windows["during"].append(seconds)
            if len(clients) != sessions or answer["sessions"] != sessions or answer["cut"] != "yes":
                broken.append(f"round {number}: {len(clients)} clients ended, {answer}")
            if not stage.refused():
                broken.append(f"round {number}: let in while contained")
            client_ms.append(max([1000 * (last - began) for kind, last, _ in clients if kind != "deaf"]))
            stage.gateway.cli("partner", "restore", "acme", "--reason", "measured")
            print(f"round {number}: cut_ms={answer['cut_ms']} upstream_ms={answer['upstream_ms']} "
                  f"backends={answer['backends']} undelivered={answer['undelivered_bytes']} "
                  f"client_ms={client_ms[-1]:.1f}", flush=True)
    finally:
        stage.close()
    before = percentile(windows["before"])
    return {"sessions": sessions, "rounds": rounds, "cut_ms": max(float(a["cut_ms"]) for a in told),
            "upstream_ms": max(float(a["upstream_ms"]) for a in told), "client_ms": round(max(client_ms), 1),
            "other_p99_ms": round(1000 * before, 2), "other_p99_ratio": round(percentile(windows["during"]) / before, 3),
            "noise_ratio": round(percentile(windows["last"]) / before, 3),
            "samples": len(windows["during"])}, broken


def main():
    def add(parser):
        parser.add_argument("--sessions", type=int, default=200)
        parser.add_argument("--rounds", type=int, default=3)
        parser.add_argument("--cut-ms", type=float, default=250)
        parser.add_argument("--ratio", type=float, default=1.2)

    given = longrun.options(__doc__, 0, add)
    figures, broken = measure(given.rounds, given.sessions)
    if figures["cut_ms"] >= given.cut_ms:
        broken.append(f"the cut took {figures['cut_ms']} ms")
    if figures["other_p99_ratio"] >= given.ratio * max(1.0, figures["noise_ratio"]):
        broken.append("the others felt it")
    for line in broken:
        print(line, file=sys.stderr)
    print("RESULT", " ".join(f"{name}={value}" for name, value in figures.items()), f"broken={len(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
