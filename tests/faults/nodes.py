"""Several coordinators over one PostgreSQL, with workers that know all."""

import shutil
import signal

from checker import Store
from fleet import Postgres, Worker
from server import Server


class NodesStore(Store):
    """The store with its repositories, each where its home is."""

    def __init__(self, places, seen, dsn):
        super().__init__(next(iter(places.values())), seen, dsn,
                         blobs=places["blobs"], homes=places)


class Nodes:
    """PostgreSQL, coordinators over it, workers."""

    def __init__(self, nodes=("a", "b"), workers=2):
        self.postgres = Postgres()
        self.servers = {}
        for name in nodes:
            self.servers[name] = Server()
        first = self.servers[nodes[0]]
        self.blobs = first.root / "blobs"
        for name, server in self.servers.items():
            server.options = ["--store", self.postgres.dsn, "--blobs",
                              str(self.blobs), "--node", name,
                              "--node-lost-after", "5"]
        first.start()
        for name in nodes[1:]:
            server = self.servers[name]
            server.data.mkdir(mode=0o700)
            shutil.copy(first.data / "admin.token", server.data)
            server.start()
        self.workers = []
        places = [server.grpc for server in self.servers.values()]
        for index in range(workers):
            worker = Worker(first, f"worker-{index}", 1)
            turned = places[index % len(places):] + places[:index % len(places)]
            worker.address = "ipv4:" + ",".join(turned)
            worker.start()
            self.workers.append(worker)

    def store(self, seen=None):
        places = {name: server.data for name, server in self.servers.items()}
        return NodesStore(dict(places, blobs=self.blobs), seen, self.postgres.dsn)

    def close(self):
        for worker in self.workers:
            worker.kill()
        for server in self.servers.values():
            if server.process:
                server.process.send_signal(signal.SIGCONT)
            server.close()
        self.postgres.close()
