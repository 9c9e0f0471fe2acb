"""What the long checks share: their options, and a stage of a cluster, an authority and a gateway."""
import argparse
import random
import time

from harness import cluster as clusters
from harness import gateway as gateways
from harness import pki, places


def options(doc, cases, add=None):
    """Parses --cases, --minutes and --seed. The result has `deadline`, in time.monotonic()'s seconds."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", "--points", type=int, default=cases)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    if add:
        add(parser)
    given = parser.parse_args()
    given.deadline = time.monotonic() + given.minutes * 60
    return given


class Stage:
    """A PostgreSQL and an authority of one's own; start() puts a gateway with a policy before a database."""

    def __init__(self):
        self.cluster = clusters.Cluster()
        self.folder = places.make_folder("ca")
        self.authority = pki.Authority(self.folder)
        self.gateway = None

    def start(self, sql, policy, config=None):
        database = self.cluster.create_database(sql=sql)
        self.gateway = gateways.Gateway(self.cluster, self.authority, policy, database, config=config)
        return database

    def stop_gateway(self):
        if self.gateway:
            self.gateway.close()
            self.gateway = None

    def close(self):
        self.stop_gateway()
        self.cluster.close()
        places.remove_folder(self.folder)
