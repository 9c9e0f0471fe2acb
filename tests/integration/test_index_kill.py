"""The exposure index is killed, or its disk fails, at each of its writes: what is found then is whole, or made anew."""
import os
import shutil
import subprocess

import pytest

from harness import faults


@pytest.fixture
def disk(make_gateway):
    gateway = make_gateway()
    for first in (1, 40):
        gateway.rows("acme.cert", f"SELECT full_name FROM person WHERE person_id BETWEEN {first} AND {first + 30}")
    gateway.stop()
    made = faults.Faults(gateway)
    yield gateway, made
    made.close()


def rebuild(gateway, *more, faulty=False):
    environment = gateway.environment if faulty else os.environ
    return subprocess.run([gateway.program, "exposure", "rebuild", *more, "-c", gateway.config], env=environment,
                          capture_output=True, text=True, timeout=30)


def summary(gateway):
    return gateway.cli("exposure", "show")


def test_any_step_of_a_rebuild(disk):
    gateway, made = disk
    assert rebuild(gateway).returncode == 0
    want, before = summary(gateway), made.calls
    made.disarm()
    assert rebuild(gateway, faulty=True).returncode == 0
    steps = made.calls - before
    assert steps >= 5, steps
    struck = 0
    for fault in (faults.KILL_BEFORE, faults.KILL_AFTER, faults.TORN, faults.DISK_FULL, faults.WRITE_EIO,
                  faults.SYNC_EIO):
        for step in range(1, steps + 1, 2 if fault == faults.KILL_BEFORE else 12):
            made.arm(fault, step)
            done = rebuild(gateway, faulty=True)
            struck += made.struck != 0
            made.disarm()
            if fault in (faults.DISK_FULL, faults.WRITE_EIO, faults.SYNC_EIO) and made.struck:
                assert done.returncode in (0, 1), done
            checked = rebuild(gateway, "--check")
            assert checked.returncode == 0, (faults.NAMES[fault], step, checked.stderr)
    assert struck > steps // 2
    folder = gateway.state_dir / "exposure"
    assert summary(gateway) == want
    assert rebuild(gateway).returncode == 0
    assert not list(folder.glob("*.new")), list(folder.iterdir())
    shutil.rmtree(folder)
    assert summary(gateway) == want
