"""How often a trace finds the copy that leaked, against the size of the sample: a real gateway, PostgreSQL and ledger,
20 partners whose deliveries overlap, samples drawn from one partner's file, `cofferdam trace` on each.

    bench/run trace [--partners 20] [--people 4000] [--trials 40] [--seed 1] [--canaries 25]

The partners stand in groups of five. A group's deliveries share nine tenths of their people, any two of different groups
about half. Everybody gets the same columns in clear, so nothing but who is in a file tells the copies apart. In the
second half of the table samples are drawn with the canaries of the deliveries among the rows.
first: the true copy ranks first (ties share). told: the verdict is "this copy", rightly. wrong: it is, of another copy.
"""
import argparse
import csv
import json
import random
import sys
import time

from harness import cluster as clusters
from harness import gateway as gateways
from harness import pki, places

SIZES = (1, 2, 5, 10, 20, 50, 100)
GROUP = 5
WRONG_MOST = 0.05  # of the verdicts that name a copy
COLUMNS = "person_id, full_name, email, phone"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partners", type=int, default=20)
    parser.add_argument("--people", type=int, default=4000)
    parser.add_argument("--trials", type=int, default=40, help="samples of each size, with and without canaries")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--canaries", type=int, default=25, help="in each delivery")
    return parser.parse_args()


def sql(people):
    return f"""
CREATE SCHEMA shop;
CREATE TABLE shop.person (person_id bigint PRIMARY KEY, full_name text, email text, phone text, batch text);
INSERT INTO shop.person SELECT 7 * n, 'Person ' || n, 'p' || n || '@example.org', '+44 7700 ' || (900000 + n), ''
  FROM generate_series(1, {people}) AS n;
"""


def policy(partners):
    text = """
controller: {name: Shop, dpo: {name: D. Officer, email: dpo@shop.example}}
subjects:
  person: {dataset: person, key: person_id, contact: {name: full_name, email: email, phone: phone}}
datasets:
  person:
    table: shop.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {}, full_name: {category: name}, email: {category: email}, phone: {category: phone}, batch: {}}
partners:"""
    for name in partners:
        text += f"""
  {name}:
    contract: {{agreement: DPA, breach_contact: {{name: A. Contact, phone: "+44 1632 960001"}}}}
    purposes: [delivery]
    agents: [{{name: sync, identity: {{certificate: "spiffe://{name}/sync"}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants: [{{dataset: person, columns: all}}]
    budget: {{subjects: {{per_day: 1000000, total: 10000000}}, rows_per_statement: 1000000}}"""
    return text


def holdings(partners, people, chance):
    """Who is in whose delivery: {partner: [person]}."""
    held, base = {}, []
    for place, name in enumerate(partners):
        if place % GROUP == 0:
            base = [n for n in range(1, people + 1) if chance.random() < 0.5]
        kept = {n for n in base if chance.random() < 0.95}
        kept.update(n for n in range(1, people + 1) if chance.random() < 0.025)
        held[name] = sorted(kept)
    return held


def deliver(gateway, cluster, held, canaries):
    """{partner: (columns, rows of people, rows of canaries)}, each from a file that staff made for it."""
    files = {}
    for name, people in held.items():
        cluster.script(gateway.database, "UPDATE shop.person SET batch = '" + name + "' WHERE person_id / 7 = ANY ('{"
                       + ",".join(map(str, people)) + "}')")
        path = gateway.folder / f"{name}.csv"
        flags = ["--canaries", str(canaries)] if canaries else []
        gateway.cli("export", "--partner", name, *flags, f"SELECT {COLUMNS} FROM person WHERE batch = '{name}'", path)
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        real = {str(7 * n) for n in people}
        files[name] = (header, [row for row in rows if row[0] in real], [row for row in rows if row[0] not in real])
        assert len(files[name][1]) == len(people) and len(files[name][2]) == canaries, name
    return files


def judge(gateway, path, header, rows, truth):
    """(share of the first place, told rightly, told wrongly, seconds)"""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    path.chmod(0o644)
    started = time.monotonic()
    report = json.loads(gateway.cli("trace", path, "--yes", "--json"))
    seconds = time.monotonic() - started
    best = max(source["posterior"] for source in report["sources"])
    first = [source["copy"] for source in report["sources"] if source["posterior"] >= best * (1 - 1e-9)]
    named = report["sources"][0]["copy"] if report["verdict"] == "this copy" else None
    return (truth in first) / len(first), named == truth, named not in (None, truth), seconds


def measure(gateway, files, with_canaries, options, chance):
    """{size: [first, told, wrong, seconds] as means}"""
    found, path = {}, gateway.folder / "sample.csv"
    for size in SIZES:
        results = []
        for _ in range(options.trials):
            truth = chance.choice(sorted(files))
            header, people, canaries = files[truth]
            rows = chance.sample(people + canaries if with_canaries else people, size)
            results.append(judge(gateway, path, header, rows, truth))
        found[size] = [sum(column) / len(results) for column in zip(*results)]
        print(f"{'with' if with_canaries else 'without'} canaries, {size:3} records: first {found[size][0]:.3f}, told "
              f"{found[size][1]:.3f}, wrong {found[size][2]:.3f}, {found[size][3] * 1000:.0f} ms a trace", flush=True)
    return found


def main():
    options = arguments()
    print(f"seed {options.seed}: {options.partners} partners, {options.people} people, {options.trials} samples a size, "
          f"{options.canaries} canaries a delivery", flush=True)
    chance = random.Random(options.seed)
    partners = [f"partner-{n:02}" for n in range(1, options.partners + 1)]
    folder = places.make_folder("bench")
    authority, cluster, made = pki.Authority(folder), clusters.Cluster(), []
    try:
        gateway = gateways.Gateway(cluster, authority, policy(partners), cluster.create_database(sql=sql(options.people)),
                                   contact=True, config={"canaries": {"mailbox_domain": "letters.example"}})
        made.append(gateway)
        files = deliver(gateway, cluster, holdings(partners, options.people, chance), options.canaries)
        plain = measure(gateway, files, False, options, chance)
        marked = measure(gateway, files, True, options, chance) if options.canaries else {}
    finally:
        for gateway in made:
            gateway.close()
        cluster.close()
        places.remove_folder(folder)
    every = [*plain.values(), *marked.values()]
    told, wrong = sum(row[1] for row in every), sum(row[2] for row in every)
    figures = [f"first_{size}={row[0]:.3f} told_{size}={row[1]:.3f}" for size, row in plain.items()]
    figures += [f"canary_first_{size}={row[0]:.3f} canary_told_{size}={row[1]:.3f}" for size, row in marked.items()]
    print(f"RESULT {' '.join(figures)} wrong={wrong / (told + wrong or 1):.3f} "
          f"ms={1000 * sum(row[3] for row in every) / len(every):.0f}")
    kept = plain[100][0] >= 0.99 and wrong <= WRONG_MOST * (told + wrong)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
