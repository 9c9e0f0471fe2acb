"""Syncs: what the durable ledger costs pgbench's point look-ups, with and without its flushes to the disk.

    bench/run syncs [--seconds S] [--rounds N] [--clients C,C,…]

One gateway, the same look-ups, in turn with the ledger's syncs and with syncs that return at once (a library in front
of libc's, which the product does not have); all else is the same. A flush of the disk below is timed beside it.
    RESULT flush_us=… share_1=… share_16=… share_64=… latency_us_1=… …
share: the part of the throughput that the syncs take (0.05: a twentieth); latency_us: what they add to a look-up.
"""
import argparse
import os
import statistics
import sys
import time

import overhead
from harness import faults


def flush_us(folder, count=400):
    """Median microseconds of a write of 512 bytes and fdatasync in a file that does not grow."""
    path, times = folder / "flush", []
    path.write_bytes(bytes(count * 512))
    fd = os.open(path, os.O_RDWR)
    os.fsync(fd)
    for number in range(count):
        begun = time.perf_counter()
        os.pwrite(fd, b"x" * 512, number * 512)
        os.fdatasync(fd)
        times.append((time.perf_counter() - begun) * 1e6)
    os.close(fd)
    path.unlink()
    return statistics.median(times)


class Syncs(overhead.Bench):
    """The overhead bench's world, with a switch for the gateway's syncs."""

    def __init__(self, config):
        super().__init__(config)
        self.faults = faults.Faults(self.gateway)
        self.gateway.restart()

    def close(self):
        self.faults.close()
        super().close()

    def run(self, synced, clients, seconds):
        """Transactions a second."""
        if synced:
            self.faults.disarm()
        else:
            self.faults.arm(faults.NO_SYNC)
        before = self.faults.struck
        rate, _ = self.pgbench(self.gateway.url("bench.one"), self.gateway.process.pid, clients, seconds, "prepared")
        if synced == (self.faults.struck > before):
            raise RuntimeError("the switch of the syncs does not work")
        return rate


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", default="1,16,64")
    parser.add_argument("--workers", type=int, default=0, help="event loops of the gateway; 0: the cores")
    options = parser.parse_args()
    bench, told = Syncs({"workers": options.workers or len(os.sched_getaffinity(0))}), []
    try:
        bench.bulk(bench.gateway.url("bench.one"))  # warm: caches, and the subjects' first disclosure
        flush = flush_us(bench.folder)
        for clients in (int(word) for word in options.clients.split(",")):
            rates = {True: [], False: []}
            for number in range(options.rounds):
                for synced in (True, False) if number % 2 else (False, True):
                    rates[synced].append(bench.run(synced, clients, options.seconds))
            with_syncs, without = statistics.median(rates[True]), statistics.median(rates[False])
            added = clients * 1e6 * (1 / with_syncs - 1 / without)
            print(f"{clients:3} clients: {with_syncs:8.0f} tps with syncs, {without:8.0f} without", flush=True)
            told.append(f"share_{clients}={1 - with_syncs / without:.3f} latency_us_{clients}={added:.0f}")
    finally:
        bench.close()
    print(f"RESULT flush_us={flush:.0f} " + " ".join(told) + f" pace_us=default rounds={options.rounds}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
