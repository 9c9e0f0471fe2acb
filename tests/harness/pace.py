"""Many questions at once, and whether their kinds can be told apart by how long the answers take."""
import concurrent.futures
import math
import random
import time

from harness.portal import Asker, address, steady

TICK_S = 0.05


def ask_many(portal, path, questions, connections=32):
    """Asks all; (kind, seconds, (status, headers, body)) of each, in any order. questions: (kind, fields)."""

    def ask_some(part):
        results = []
        for number, (kind, fields) in part:
            asking = Asker(portal, address(1_000_000 + number))
            asking.get("/style.css")  # the connection stands before the clock runs
            begun = time.perf_counter()
            status, headers, body = asking.post(path, fields)
            results.append((kind, time.perf_counter() - begun, (status, tuple(steady(headers)), body)))
            asking.close()
        return results

    numbered = list(enumerate(questions, random.Random().getrandbits(20)))
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        parts = pool.map(ask_some, [numbered[at::connections] for at in range(connections)])
        return [result for part in parts for result in part]


def distance(a, b):
    """Kolmogorov-Smirnov: the largest distance of two samples' distribution functions."""
    every = sorted([(value, 0) for value in a] + [(value, 1) for value in b])
    counts, largest = [0, 0], 0.0
    for at, (value, which) in enumerate(every):
        counts[which] += 1
        if at + 1 == len(every) or every[at + 1][0] != value:
            largest = max(largest, abs(counts[0] / len(a) - counts[1] / len(b)))
    return largest


def threshold(n, m, chance=1e-6):
    """Two samples of one distribution are further apart than this once in 1/chance."""
    return math.sqrt(-math.log(chance / 2) / 2 * (n + m) / (n * m))


def judge_times(results):
    """No two kinds can be told apart by time. The same test sees it when half of the answers take longer, by a
    tick or, on a busy machine, by as much as the middle half of the answers differ."""
    times = {}
    for kind, seconds, _ in results:
        times.setdefault(kind, []).append(seconds)
    kinds = sorted(times)
    for i, a in enumerate(kinds):
        for b in kinds[i + 1:]:
            found, bound = distance(times[a], times[b]), threshold(len(times[a]), len(times[b]))
            print(f"{a} and {b}: D = {found:.4f}, bound {bound:.4f}")
            assert found < bound, (a, b)
    sample = sorted(times[kinds[0]])
    shift = max(TICK_S, sample[len(sample) * 3 // 4] - sample[len(sample) // 4])
    slower = [seconds + shift * (at % 2) for at, seconds in enumerate(sample)]
    assert distance(sample, slower) > threshold(len(sample), len(sample))
