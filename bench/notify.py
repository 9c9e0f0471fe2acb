"""How fast notices go out: builds and hands over a message to each of many people, through a real
gateway, PostgreSQL and mail server on this machine, all on the same cores.

    bench/run notify [--people 100000] [--connections 2] [--servers 1] [--seconds 600]
"""
import argparse
import sys
import time

from harness import cluster as clusters
from harness import gateway as gateways
from harness import notices, pki, places
from harness.mailserver import MailServer

FLAT = 1.15  # memory at most, against that after a tenth of the people

def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--servers", type=int, default=1, help="processes of the mail server")
    parser.add_argument("--seconds", type=float, default=600, help="more than that is a failure")
    return parser.parse_args()


def peak_mb(process, seen):
    """The process's highest resident memory so far, in MB."""
    try:
        with open(f"/proc/{process.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM"):
                    return max(seen, int(line.split()[1]) / 1024)
    except FileNotFoundError:
        pass
    return seen


def send(case, approved):
    """(seconds, peak MB after a tenth, peak MB at the end) of the sending process, from its start."""
    started, early, peak = time.monotonic(), 0, 0
    messages = case.server.folder / "messages.jsonl"
    process = case.start("--send", "--approve", approved)
    while process.poll() is None:
        peak = peak_mb(process, peak)
        if not early and messages.exists() and messages.stat().st_size > case.tenth_bytes:
            early = peak
        time.sleep(0.2)
    output = process.communicate()[0]
    if process.returncode != 0:
        raise RuntimeError(output)
    return time.monotonic() - started, early, peak


def main():
    options = arguments()
    folder = places.make_folder("bench")
    authority, cluster = pki.Authority(folder), clusters.Cluster()
    server = MailServer(authority, count_only=True, processes=options.servers)
    made = []

    def make_gateway(policy_yaml, sql, contact, start):
        made.append(gateways.Gateway(cluster, authority, policy_yaml, cluster.create_database(sql=sql),
                                     start=start, contact=contact))
        return made[-1]
    try:
        case = notices.Case(make_gateway, server, options.people, 0,
                            mail={"connections": options.connections, "bounce_folder": None}).open()
        case.tenth_bytes = options.people * len("c50000@mail.example\n") // 10
        seconds, early, peak = send(case, case.dry_run()["hash"])
        recipients = (server.folder / "messages.jsonl").read_text().split()
    finally:
        for gateway in made:
            gateway.close()
        server.close()
        cluster.close()
        places.remove_folder(folder)
    fine = len(recipients) == len(set(recipients)) == options.people - 5 and seconds <= options.seconds \
        and peak <= early * FLAT
    print(f"RESULT messages={len(recipients)} seconds={seconds:.1f} per_second={len(recipients) / seconds:.0f} "
          f"rss_after_tenth_mb={early:.0f} peak_rss_mb={peak:.0f}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
