"""Between a coordinator and PostgreSQL: passes everything on, except, while it
is deaf, the notifications; as a pooler does that hands sessions around."""

import socket
import threading

NOTIFICATION = ord("A")


def notifications_left_out(data):
    """Of what a server sends, the whole messages to pass on, and the rest."""
    kept, at = bytearray(), 0
    while at + 5 <= len(data):
        end = at + 1 + int.from_bytes(data[at + 1:at + 5], "big")
        if end > len(data):
            break
        if data[at] != NOTIFICATION:
            kept += data[at:end]
        at = end
    return bytes(kept), data[at:]


class DeafRelay:
    """`dsn`: how PostgreSQL is reached through it."""

    def __init__(self, dsn):
        before, rest = dsn.split("@", 1)
        place, database = rest.split("/", 1)
        host, port = place.rsplit(":", 1)
        self.server, self.deaf = (host, int(port)), True
        self.listener = socket.create_server(("127.0.0.1", 0))
        own = self.listener.getsockname()[1]
        # Without TLS each message of the server's begins with its kind.
        self.dsn = f"{before}@127.0.0.1:{own}/{database}?sslmode=disable"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.server)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.pass_on, args=(client, server, False),
                             daemon=True).start()
            threading.Thread(target=self.pass_on, args=(server, client, True),
                             daemon=True).start()

    def pass_on(self, source, sink, from_server):
        rest = b""
        try:
            while data := source.recv(1 << 16):
                rest += data
                if from_server and self.deaf:
                    data, rest = notifications_left_out(rest)
                elif from_server:
                    data, rest = rest, b""
                else:
                    rest = b""
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
