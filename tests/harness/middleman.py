"""Somebody between a client and a server, with a certificate that the client believes."""
import socket
import ssl
import struct
import threading

from harness.rawlogin import PLAIN, PLUS


class Middleman:
    """Ends TLS with a certificate that the client believes, and passes on what both say.

    port: the server's. strip: takes PLUS out of the list of mechanisms, so that the client does not bind.
    honest: passes the bytes on as they are; may be set at any time.
    """

    def __init__(self, port, authority, strip=False, honest=False):
        self.target, self.authority, self.strip, self.honest = port, authority, strip, honest
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        certificate, key = authority.leaf("localhost", "DNS:localhost,IP:127.0.0.1", "serverAuth", tag="middleman")
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate, key)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.target))
            if self.honest:
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()
            else:
                threading.Thread(target=self._tamper, args=(client, server), daemon=True).start()

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _tamper(self, client, server):
        """As long as question and answer come in turn, which is so in a login."""
        try:
            for each in (client, server):
                each.settimeout(20)
            server.sendall(client.recv(8))
            client.sendall(server.recv(1))
            client = self.context.wrap_socket(client, server_side=True)
            trusted = ssl.create_default_context(cafile=str(self.authority.certificate))
            server = trusted.wrap_socket(server, server_hostname="localhost")
            while data := client.recv(65536):
                server.sendall(data)
                answer = server.recv(65536)
                if self.strip and PLUS.encode() in answer:
                    body = struct.pack("!i", 10) + PLAIN.encode() + b"\0\0"
                    answer = b"R" + struct.pack("!i", len(body) + 4) + body
                if not answer:
                    return
                client.sendall(answer)
        except (OSError, ssl.SSLError):
            pass
        finally:
            client.close()
            server.close()
