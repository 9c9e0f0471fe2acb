"""A backup restored by somebody else, or with the wrong modes: what is said tells what to do, and nothing is lost."""
import os
import pwd
import shutil

import pytest

from harness import places

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can be several users")
OTHER = "daemon"


@pytest.fixture
def folder():
    made = places.make_folder("restored")
    places.own(made, pwd.getpwnam(OTHER))
    yield made
    places.remove_folder(made)


@pytest.fixture
def gateway(make_gateway):
    """Stopped; its ledger is in a backup, and `damaged` beside it."""
    gateway = make_gateway()
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id < 4")
    assert gateway.stop() == 0
    gateway.cli("ledger", "backup", str(gateway.folder / "backup"), "--with-keys")
    gateway.ledger_dir.rename(gateway.folder / "damaged")
    return gateway


def restore(gateway, to, user):
    return gateway.cli("ledger", "restore", str(gateway.folder / "backup"), "--to", str(to), "--checkpoint",
                       str(gateway.folder / "damaged/checkpoint"), check=False, user=pwd.getpwnam(user))


def starts(gateway):
    gateway.start()
    gateway.rows("acme.cert", "SELECT person_id FROM person WHERE person_id = 5")
    subjects = [row["subjects"] for row in gateway.admin("SHOW EXPOSURE") if row["partner"] == "acme"]
    assert gateway.stop() == 0
    return subjects


def refusal(gateway):
    before = len(gateway.log_text())
    with pytest.raises(RuntimeError):
        gateway.start()
    return gateway.log_text()[before:]


def user_of(path):
    return pwd.getpwuid(path.stat().st_uid).pw_name


def give(folder, user):
    for path in [folder, *folder.rglob("*")]:
        places.own(path, user)


def test_root_restores_for_the_gateway(gateway):
    code, _, errors = restore(gateway, gateway.ledger_dir, "root")
    assert code == 0, errors
    assert {user_of(path) for path in [gateway.ledger_dir, *gateway.ledger_dir.rglob("*")]} == {gateway.user.pw_name}
    assert starts(gateway) == ["4"]
    key = gateway.state_dir / "ledger.key"
    key.chmod(0o644)
    told = refusal(gateway)
    assert f"{key}: a secret that others can read" in told and "chmod 600" in told
    key.chmod(0o600)
    assert starts(gateway) == ["4"]


def test_somebody_else_is_told_whose_right_is_missing(gateway, folder):
    uid = pwd.getpwnam(OTHER).pw_uid
    code, _, errors = restore(gateway, folder / "ledger", OTHER)
    assert code == 1 and "backup/ledger" in errors and "Permission denied" in errors, errors
    assert f"runs as user {uid}" in errors and "chown" in errors and not list(folder.iterdir())

    for path in [gateway.folder / "backup", *(gateway.folder / "backup/ledger").rglob("*"), gateway.folder / "damaged",
                 gateway.folder / "damaged/checkpoint", gateway.folder / "backup/ledger"]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    code, _, errors = restore(gateway, gateway.ledger_dir, OTHER)
    assert code == 1 and "state/ledger.restoring: Permission denied" in errors and f"user {uid}" in errors, errors
    code, _, errors = restore(gateway, folder / "ledger", OTHER)
    assert code == 0, errors

    shutil.move(folder / "ledger", gateway.ledger_dir)
    told = refusal(gateway)
    assert "state/ledger/" in told and "Permission denied" in told
    assert f"runs as user {gateway.user.pw_uid}" in told and "chown" in told, told
    give(gateway.ledger_dir, gateway.user)
    assert starts(gateway) == ["4"]
    for name in ("deliveries.sqlite", "registry.sqlite"):
        places.own(gateway.state_dir / name, pwd.getpwnam("root"))
        (gateway.state_dir / name).chmod(0o600)
        told = refusal(gateway)
        assert f"state/{name}: Permission denied" in told and f"user {gateway.user.pw_uid}" in told, told
        places.own(gateway.state_dir / name, gateway.user)
    assert starts(gateway) == ["4"]
