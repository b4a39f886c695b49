"""Connections that many open and none uses: silent ones, and handshakes of TLS
that are begun and never finished; and whether a server answers meanwhile."""

import resource
import selectors
import socket
import threading
import time

from server import Lost, Refused
from watcher import GET, channel_to, grpc

# Of a record of 512 bytes with a ClientHello in it, the first eleven.
HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


def allow_descriptors():
    """As many as this program may have; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def answers(server, assignment="task"):
    """Both ports, with something written; whatever has ended is started again,
    as a supervisor does it."""
    if not server.alive():
        server.reap()
        server.start()
    try:
        server.call("InvitationService/CreateInvitation",
                    {"assignment": "assignments/" + assignment,
                     "candidateName": "Ada"}, server.admin)
        with channel_to(server) as channel:
            channel.unary_unary(GET)(b"", timeout=2, metadata=[
                ("authorization", "Bearer " + server.admin)])
    except (Lost, Refused):
        return False
    except grpc.RpcError as error:
        # An answer, of a server that is there.
        return error.code() == grpc.StatusCode.INVALID_ARGUMENT
    return True


class Flood:
    """So many connections to `addresses` in turn, each of which says `words`
    and no more. `again`: whatever the server closes is opened anew."""

    def __init__(self, addresses, count, words=b"", again=False):
        self.addresses, self.count, self.words = addresses, count, words
        self.again, self.stopped, self.opened = again, False, 0
        self.selector, self.open = selectors.DefaultSelector(), set()
        for index in range(count):
            self.connect(index)
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def connect(self, index):
        host, port = self.addresses[index % len(self.addresses)].rsplit(":", 1)
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex((host, int(port)))
        self.open.add(connection)
        self.opened += 1
        self.selector.register(connection, selectors.EVENT_WRITE, index)

    def loop(self):
        while not self.stopped:
            # Nobody is to take this machine's processors from the server.
            time.sleep(0.05)
            for key, events in self.selector.select(0):
                self.step(key.fileobj, key.data, events)

    def step(self, connection, index, events):
        try:
            if events & selectors.EVENT_WRITE:
                connection.send(self.words)
                self.selector.modify(connection, selectors.EVENT_READ, index)
            elif connection.recv(1 << 16):
                # A greeting; nobody answers it.
                return
            else:
                raise ConnectionResetError
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection)
            if self.again:
                self.connect(index)

    def drop(self, connection):
        self.selector.unregister(connection)
        self.open.discard(connection)
        connection.close()

    def close(self):
        self.stopped = True
        self.thread.join()
        for connection in list(self.open):
            self.drop(connection)
        self.selector.close()
