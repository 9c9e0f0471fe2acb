"""A partner attests that it has deleted what it had: with the signature of one of its agents, which is
checked, or by somebody's word, which is recorded as no more than that."""
import hashlib
import subprocess
import time

import pytest

from harness import pki, places


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    made = make_module_gateway()
    made.rows("acme.cert", "SELECT full_name FROM person WHERE person_id <= 5")
    return made


@pytest.fixture(scope="module")
def folder():
    made = places.make_folder("attest")
    made.chmod(0o777)
    yield made
    places.remove_folder(made)


@pytest.fixture
def letter(folder):
    path = folder / "letter.txt"
    path.write_text("We have deleted everything.\nA. Contact\n")
    return path


def sign(authority, letter, identity="spiffe://acme/cert", *flags, pair=None):
    certificate, key = pair or authority.client(identity)
    path = letter.with_suffix(".p7s")
    pki.openssl("cms", "-sign", "-binary", "-outform", "DER", "-signer", certificate, "-inkey", key, "-in", letter,
                "-out", path, *flags)
    path.chmod(0o644)
    return path


def attest(gateway, *more, check=True, partner="acme"):
    return gateway.cli("attest", "--partner", partner, "--before", "2026-06-01", "--request", "DEL-12", "--method",
                       "disks wiped", *map(str, more), check=check)


def lines(gateway):
    """key: value of the newest deletion."""
    entry = [entry for entry in gateway.ledger() if entry["type"] == "deleted"][-1]
    return dict(line.split("=", 1) for line in entry["text"].splitlines())


@pytest.mark.parametrize("form", ["DER", "PEM"])
def test_a_signature_is_checked_and_kept(gateway, authority, letter, form):
    signature = sign(authority, letter, "spiffe://acme/cert", "-outform", form)
    said = attest(gateway, "--document", letter, "--signature", signature)
    assert "recorded: signed: acme has deleted all" in said
    text = lines(gateway)
    certificate = subprocess.run(["openssl", "x509", "-outform", "DER", "-in", authority.client("spiffe://acme/cert")[0]],
                                 capture_output=True, check=True).stdout
    assert text["signer"] == "acme.cert" and text["request"] == "DEL-12" and "told_by" not in text
    assert text["evidence"] == hashlib.sha256(letter.read_bytes()).hexdigest()
    assert text["signature"] == hashlib.sha256(signature.read_bytes()).hexdigest()
    assert text["certificate"] == hashlib.sha256(certificate).hexdigest()
    assert text["signed"].startswith("20") and text["signed"].endswith("Z")


def test_a_word_is_a_word(gateway):
    assert "by its own word" in attest(gateway, "--told-by", "J. Doe, by telephone")
    text = lines(gateway)
    assert text["told_by"] == "J. Doe, by telephone" and "signer" not in text


def refused(gateway, told, *more, partner="acme"):
    before = len(gateway.ledger())
    code, _, errors = attest(gateway, *more, check=False, partner=partner)
    assert code == 1 and told in errors, errors
    assert len(gateway.ledger()) == before


def test_what_proves_nothing_is_refused(gateway, authority, letter, folder):
    signature = sign(authority, letter)
    refused(gateway, "no agent of this partner", "-d", letter, "-s", signature, partner="rival")
    letter.write_text("We have deleted nothing.\n")
    refused(gateway, "another document", "-d", letter, "-s", signature)
    refused(gateway, "no agent of this partner", "-d", letter, "-s", sign(authority, letter, "spiffe://acme/other"))
    refused(gateway, "no CMS message", "-d", letter, "-s", letter)
    refused(gateway, "another document", "-d", letter, "-s", sign(authority, letter, "spiffe://acme/cert", "-md", "sha512"))
    refused(gateway, "another document", "-d", letter, "-s", sign(authority, letter, "spiffe://acme/cert", "-noattr"))
    refused(gateway, "not of one signer", "-d", letter, "-s", sign(authority, letter, "spiffe://acme/cert", "-nodetach"))
    refused(gateway, "not of one signer", "-d", letter, "-s", sign(authority, letter, "spiffe://acme/cert", "-nocerts"))
    certificate, key = authority.client("spiffe://acme/cert")
    refused(gateway, "not of one signer", "-d", letter, "-s",
            sign(authority, letter, "spiffe://acme/cert", "-signer", authority.client("spiffe://rival/cert")[0],
                 "-inkey", authority.client("spiffe://rival/cert")[1]))
    stranger = pki.Authority(folder / "stranger")
    refused(gateway, "not trusted", "-d", letter, "-s", sign(stranger, letter))
    expired = authority.leaf("agent", "URI:spiffe://acme/cert", "clientAuth", days=0)
    refused(gateway, "not trusted", "-d", letter, "-s", sign(authority, letter, pair=expired))


def test_a_bit_of_the_signature_is_enough(gateway, authority, letter):
    signature = sign(authority, letter)
    whole = signature.read_bytes()
    signature.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    refused(gateway, "not made with the key", "-d", letter, "-s", signature)
    signature.write_bytes(whole + b"\0")
    refused(gateway, "no CMS message", "-d", letter, "-s", signature)


def test_it_tells_of_nothing_later(gateway, authority, letter):
    """An old signature is not to be used again for what the partner has received since."""
    signature = sign(authority, letter)
    time.sleep(2.1)
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 0.5))
    refused(gateway, "received later", "-d", letter, "-s", signature, "--before", later)


def test_whose_key_may_be_stolen_signs_nothing(gateway, authority, letter):
    signature = sign(authority, letter)
    gateway.admin("CONTAIN PARTNER 'acme' AGENT 'cert' REASON 'key lost'")
    try:
        refused(gateway, "contained", "-d", letter, "-s", signature)
    finally:
        gateway.admin("RESTORE PARTNER 'acme' AGENT 'cert' REASON 'new key'")
    assert "signed" in attest(gateway, "-d", letter, "-s", signature)


@pytest.mark.parametrize("more", [[], ["--told-by", "x", "--signature", "y", "--document", "z"], ["--signature", "y"]])
def test_somebody_must_attest_it(gateway, more):
    assert attest(gateway, *more, check=False)[0] == 2
