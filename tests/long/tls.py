"""TLS test: testssl.sh, all of its checks, finds nothing above LOW, with a server key of each kind.

    tests/run tls [--only KIND]

Keys: p256, rsa; testssl 3.0 breaks off at an Ed25519 key, which it does not know. The certificate is valid for 90 days and names a CRL, so that what is judged is the gateway.
    RESULT kinds=… findings=… above_low=…
"""
import sys

from harness import longrun, pki, shop, testssl

KINDS = {"p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}


def renew(gateway, authority, kind):
    stem = authority.folder / kind
    certificate, key, extensions = (stem.with_suffix(end) for end in (".crt", ".key", ".ext"))
    request = pki.openssl("req", "-new", "-newkey", *KINDS[kind], "-nodes", "-subj", "/CN=localhost", "-keyout", key)
    extensions.write_text("basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
                          "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
                          "crlDistributionPoints=URI:http://crl.example/ca.crl\n")
    pki.openssl("x509", "-req", "-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial", "-days", 90,
                "-extfile", extensions, "-out", certificate, text=request)
    gateway._write_secret("server.key", key.read_text())
    (gateway.folder / "server.crt").write_bytes(certificate.read_bytes())
    gateway.reload()


def main():
    given = longrun.options(__doc__, 0, lambda parser: parser.add_argument("--only", choices=KINDS))
    kinds = [given.only] if given.only else list(KINDS)
    stage = longrun.Stage()
    above, total = [], 0
    try:
        stage.start(shop.SQL, shop.POLICY)
        for kind in kinds:
            renew(stage.gateway, stage.authority, kind)
            found, count = testssl.findings(stage.gateway.port, stage.authority.certificate)
            print(f"{kind}: {count} findings, above LOW: {found or 'none'}", flush=True)
            above, total = above + found, total + count
    finally:
        stage.close()
    print(f"RESULT kinds={len(kinds)} findings={total} above_low={len(above)}")
    return int(bool(above) or total < 30 * len(kinds))


if __name__ == "__main__":
    sys.exit(main())
