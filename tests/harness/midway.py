"""A socket between the gateway and PostgreSQL, for what goes wrong on the way: cancels that arrive too early to
be heard, and a database that does not notice that the gateway has left."""
import socket
import struct
import threading

from harness import places

CANCEL = 80877102


class Midway:
    """The folder of a unix socket in whose place PostgreSQL's own answers.

    deaf: so many of the next CancelRequests are taken and forgotten; forgotten and heard count them.
    What the gateway closes stays open towards PostgreSQL.
    """

    def __init__(self, cluster):
        self.server_path = f"{cluster.folder}/.s.PGSQL.{cluster.port}"
        self.folder = places.make_folder("midway")
        path = self.folder / f".s.PGSQL.{cluster.port}"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        path.chmod(0o777)
        self.listener.listen(100)
        self.deaf = self.forgotten = self.heard = 0
        self.kept = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            first = connection.recv(8, socket.MSG_WAITALL)
            if len(first) == 8 and struct.unpack("!ii", first)[1] == CANCEL:
                self.cancel(first + connection.recv(8, socket.MSG_WAITALL))
            elif first:
                self.pass_on(connection, first)
        except OSError:
            pass
        connection.close()

    def cancel(self, request):
        if self.deaf > 0:
            self.deaf -= 1
            self.forgotten += 1
            return
        self.heard += 1
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server_path)
            server.sendall(request)
            server.recv(1)

    def pass_on(self, connection, first):
        server = socket.socket(socket.AF_UNIX)
        self.kept.append(server)
        server.connect(self.server_path)
        server.sendall(first)
        threading.Thread(target=self.answers, args=(server, connection), daemon=True).start()
        while data := connection.recv(65536):
            server.sendall(data)

    @staticmethod
    def answers(server, connection):
        """What nobody takes any more is read all the same, as a network would hold it."""
        gone = False
        while data := server.recv(65536):
            try:
                if not gone:
                    connection.sendall(data)
            except OSError:
                gone = True

    def close(self):
        self.listener.close()
        for server in self.kept:
            try:
                server.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            server.close()
        places.remove_folder(self.folder)
