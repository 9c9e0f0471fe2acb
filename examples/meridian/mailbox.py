#!/usr/bin/python3
"""A mail server for demonstrations and tests, on loopback: submission with STARTTLS, AUTH and DSN.

    mailbox.py --folder F --certificate C --key K --user U --password-file P [--port N]

Accepted messages go to F/messages.jsonl, a line each: from, to, envid, notify, data. With --notices
M, delivery notices (RFC 3464) go into the Maildir M. Recipients that match a pattern are treated
badly, see --help. Prints "ready PORT" once it listens. Nothing is ever sent on.
"""
import argparse
import asyncio
import collections
import email.utils
import json
import logging
import os
import pathlib
import re
import signal
import socket
import ssl
import sys
import time
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, Envelope

DSN_PARAMETER = re.compile(r"\s(RET|ENVID|NOTIFY|ORCPT)=(\S+)", re.IGNORECASE)
MESSAGE_BYTES = 1 << 20

NOTICE = """\
From: Mail Delivery System <mailer-daemon@localhost>
To: {sender}
Subject: Delivery status
Date: {date}
Message-ID: <{unique}@localhost>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_{unique}"

--=_{unique}
Content-Type: text/plain; charset=us-ascii

This is a delivery status notice.

--=_{unique}
Content-Type: message/delivery-status

Reporting-MTA: dns; localhost
{envelope}
Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}

--=_{unique}
Content-Type: text/rfc822-headers

Subject: (headers of the message)

--=_{unique}--
"""


def from_xtext(text):
    """RFC 3461, section 4."""
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found.group(1), 16)), text)


class Rules:
    """What happens to whom. The first message to each `defer` recipient is put off, and so on."""

    def __init__(self, options):
        self.options = options
        self.patterns = {name: re.compile(getattr(options, name)) for name in
                         ("refuse", "reject", "defer", "lose", "swallow", "fail") if getattr(options, name)}
        self.deferred = collections.Counter()

    def match(self, name, recipient):
        return name in self.patterns and self.patterns[name].search(recipient)

    def puts_off(self, recipient):
        if not self.match("defer", recipient) or self.deferred[recipient] >= self.options.defer_times:
            return False
        self.deferred[recipient] += 1
        return True

    def once(self, name, recipient):
        """True for the first time only: the connection breaks, and then it works."""
        if not self.match(name, recipient) or self.deferred[name, recipient]:
            return False
        self.deferred[name, recipient] += 1
        return True


class Store:
    """The folder of what was accepted. Lines are appended whole, so several processes may share it."""

    def __init__(self, options):
        self.options = options
        self.messages = os.open(pathlib.Path(options.folder) / "messages.jsonl",
                                os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.count = 0

    def keep(self, envelope):
        if self.options.count_only:
            line = envelope.rcpt_tos[0]
        else:
            line = json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos[0],
                               "envid": envelope.envid, "notify": envelope.notify, "at": time.time(),
                               "data": envelope.content.decode("latin-1")})
        os.write(self.messages, f"{line}\n".encode())

    def notice(self, envelope, action, status):
        """A delivery notice to the envelope's sender, if it was asked for and there is a Maildir."""
        wanted = {"failed": "FAILURE", "relayed": "SUCCESS"}[action]
        if not self.options.notices or (envelope.notify is not None and wanted not in envelope.notify):
            return
        self.count += 1
        unique = f"{time.time_ns()}.{os.getpid()}.{self.count}"
        text = NOTICE.format(sender=envelope.mail_from, recipient=envelope.rcpt_tos[0], action=action,
                             status=status, unique=unique, date=email.utils.formatdate(),
                             envelope=f"Original-Envelope-Id: {envelope.envid}\n" if envelope.envid else "")
        maildir = pathlib.Path(self.options.notices)
        (maildir / "tmp" / unique).write_text(text)
        (maildir / "tmp" / unique).rename(maildir / "new" / unique)


class Submission(SMTP):
    """aiosmtpd knows no DSN: its parameters are taken out before it looks, and kept."""

    async def push(self, status):
        if self.event_handler.options.inject and status == "220 Ready to start TLS":
            status += "\r\n250 2.0.0 injected"
        return await super().push(status)

    async def smtp_MAIL(self, arg):
        if not self.event_handler.options.no_dsn and arg:
            found = dict((name.upper(), value) for name, value in DSN_PARAMETER.findall(arg))
            arg = DSN_PARAMETER.sub("", arg)
            await super().smtp_MAIL(arg)
            self.envelope.envid = from_xtext(found["ENVID"]) if "ENVID" in found else None
        else:
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg):
        if not self.event_handler.options.no_dsn and arg:
            found = dict((name.upper(), value) for name, value in DSN_PARAMETER.findall(arg))
            self.envelope.notify = found.get("NOTIFY", "").upper()
            arg = DSN_PARAMETER.sub("", arg)
        await super().smtp_RCPT(arg)


Envelope.envid = Envelope.notify = None


class Handler:
    def __init__(self, options):
        self.options, self.rules, self.store = options, Rules(options), Store(options)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses[:-1] + ([] if self.options.no_dsn else ["250-DSN"]) + responses[-1:]

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.options.refuse_sender:
            return "550 5.1.8 this sender is not known here"
        envelope.mail_from = address
        return "250 2.1.0 sender ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rules.match("refuse", address):
            return f"550 5.1.1 <{address}>: no such mailbox"
        if self.rules.puts_off(address):
            return "451 4.2.0 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(self, server, session, envelope):
        recipient = envelope.rcpt_tos[0]
        if self.options.slow:
            await asyncio.sleep(self.options.slow)
        if self.rules.match("reject", recipient):
            return "554 5.7.1 content refused"
        if self.rules.once("lose", recipient):
            server.transport.abort()
            return "451 gone"
        self.store.keep(envelope)
        if self.rules.match("fail", recipient):
            self.store.notice(envelope, "failed", "5.1.1")
        else:
            self.store.notice(envelope, "relayed", "2.0.0")
        if self.rules.once("swallow", recipient):
            server.transport.abort()
            return "451 gone"
        if self.options.slow_answer:
            await asyncio.sleep(self.options.slow_answer)
        return "250 2.0.0 accepted"


def authenticator(options):
    password = pathlib.Path(options.password_file).read_bytes().rstrip(b"\n")

    def check(server, session, envelope, mechanism, data):
        good = mechanism in ("PLAIN", "LOGIN") and (data.login, data.password) == (options.user.encode(), password)
        return AuthResult(success=good, handled=good, message=None if good else "535 5.7.8 no")
    return check


async def serve(options, listening):
    context = None
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
    handler, loop = Handler(options), asyncio.get_running_loop()

    def connection():
        return Submission(handler, hostname="localhost", ident="mailbox", tls_context=context,
                          require_starttls=context is not None, loop=loop, data_size_limit=MESSAGE_BYTES,
                          auth_required=options.user is not None, auth_require_tls=context is not None,
                          authenticator=authenticator(options) if options.user else None)
    await loop.create_server(connection, sock=listening)
    if options.attached:
        loop.add_reader(0, lambda: os._exit(0) if not os.read(0, 1024) else None)
    await asyncio.Event().wait()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password-file")
    parser.add_argument("--notices", help="a Maildir (made) for delivery notices")
    parser.add_argument("--no-dsn", action="store_true")
    parser.add_argument("--attached", action="store_true", help="end when the standard input does")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--count-only", action="store_true", help="keep recipients, not messages")
    parser.add_argument("--slow", type=float, default=0, help="seconds before a message is taken, until SIGUSR1")
    parser.add_argument("--slow-answer", type=float, default=0, help="seconds between taking and answering")
    parser.add_argument("--refuse-sender", action="store_true")
    parser.add_argument("--inject", action="store_true", help="say a line before TLS, as an attacker would")
    parser.add_argument("--refuse", help="pattern of recipients: 550 at RCPT")
    parser.add_argument("--reject", help="554 after the content")
    parser.add_argument("--defer", help="451 at RCPT, --defer-times times")
    parser.add_argument("--defer-times", type=int, default=1)
    parser.add_argument("--lose", help="the connection breaks after the dot, the first message is lost")
    parser.add_argument("--swallow", help="the connection breaks after the dot, the message was taken")
    parser.add_argument("--fail", help="accepted, and then a notice of failure")
    return parser.parse_args()


def main():
    options = arguments()
    logging.disable(logging.CRITICAL)  # a client that ends its connection is no news here
    warnings.simplefilter("ignore")
    pathlib.Path(options.folder).mkdir(parents=True, exist_ok=True)
    for part in ("tmp", "new", "cur") if options.notices else ():
        (pathlib.Path(options.notices) / part).mkdir(parents=True, exist_ok=True)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", options.port))
    listening.listen(128)
    listening.setblocking(False)
    children = []
    for _ in range(options.processes - 1):
        child = os.fork()
        if child == 0:
            break
        children.append(child)
    else:
        print("ready", listening.getsockname()[1], flush=True)

    def stop(*_):
        for child in children:
            os.kill(child, signal.SIGTERM)
        os._exit(0)

    def hurry(*_):
        options.slow = options.slow_answer = 0
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGUSR1, hurry)
    asyncio.run(serve(options, listening))


if __name__ == "__main__":
    sys.exit(main())
