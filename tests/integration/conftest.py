"""Fixtures of the integration tests: one PostgreSQL a run, a gateway where a test asks for one.

    def test_something(make_gateway):
        gateway = make_gateway()                         # the small shop of harness/shop.py
        gateway = make_gateway(policy_yaml=..., sql=...)  # a policy and a database of one's own
        gateway.psql("acme.cert", "SELECT 1").stdout

harness/gateway.py tells what a gateway can do. COFFERDAM_BIN names the program under test.
"""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import cluster as clusters  # noqa: E402
from harness import gateway as gateways  # noqa: E402
from harness import pki, places, shop  # noqa: E402

DEMO_SCALE = 0.01
# Files that take longest are begun first: one of them that is begun last would run alone at the end.
LONGEST = ["test_demo", "test_promises", "test_incident", "test_retain", "test_notify", "test_portal", "test_slow_client", "test_never",
           "test_worker_truth", "test_guard", "test_masks", "test_drill", "test_tidy", "test_scope", "test_worker", "test_publish"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL 15 that nothing else uses."""
    server = clusters.Cluster()
    yield server
    server.close()


@pytest.fixture(scope="session")
def authority():
    """A certificate authority that the gateways trust; its files are ours alone."""
    folder = places.make_folder("ca")
    yield pki.Authority(folder)
    places.remove_folder(folder)


@pytest.fixture(scope="session")
def meridian(cluster):
    """Name of the demo's database, a hundredth of its size. To be read only."""
    return clusters.meridian(cluster, DEMO_SCALE)


@pytest.fixture(scope="session")
def demo_policy():
    """Text of the demo's policy."""
    return (places.ROOT / "examples/meridian/policy.yaml").read_text()


def gateway_maker(cluster, authority, made):
    databases = {}

    def make(policy_yaml=shop.POLICY, sql=shop.SQL, database=None, config=None, start=True, contact=False):
        """database: an existing one instead of sql. config: changes to cofferdam.yaml. contact: with
        a contact role."""
        if database is None:
            if sql not in databases:
                databases[sql] = cluster.create_database(sql=sql)
            database = databases[sql]
        gateway = gateways.Gateway(cluster, authority, policy_yaml, database, config, start,
                                   contact)
        made.append(gateway)
        return gateway

    return make


def close_all(made):
    problems = []
    for gateway in reversed(made):
        try:
            gateway.close()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture
def make_gateway(cluster, authority):
    """Makes gateways that end with the test."""
    made = []
    yield gateway_maker(cluster, authority, made)
    close_all(made)


@pytest.fixture(scope="module")
def make_module_gateway(cluster, authority):
    """Makes gateways that end with the file: for tests that only read."""
    made = []
    yield gateway_maker(cluster, authority, made)
    close_all(made)


@pytest.fixture(scope="module")
def shop_gateway(make_module_gateway):
    """A gateway before the small shop, shared by a file's tests."""
    return make_module_gateway()


@pytest.fixture(scope="module")
def demo_gateway(make_module_gateway, meridian, demo_policy):
    """A gateway before Meridian Motors with the demo's policy, shared by a file's tests."""
    return make_module_gateway(policy_yaml=demo_policy, database=meridian)
