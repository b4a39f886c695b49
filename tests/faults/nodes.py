"""Several coordinators over one PostgreSQL, with workers that know all."""

import os
import shutil
import signal
import sys

from checker import Store
from deaf_relay import DeafRelay
from fleet import Postgres, Worker
from server import Server

sys.path.insert(1, os.path.join(os.environ["ASSAY_SOURCE_DIR"], "tests/e2e"))
from certificates import Authority  # noqa: E402


class NodesStore(Store):
    """The store with its repositories, each where its home is."""

    def __init__(self, places, seen, dsn):
        super().__init__(next(iter(places.values())), seen, dsn,
                         blobs=places["blobs"], homes=places)


class Nodes:
    """PostgreSQL, coordinators over it, workers."""

    def __init__(self, nodes=("a", "b"), workers=2, tls=False, node_ca=True,
                 deaf=False, fault=None):
        """`tls`: each has a certificate of its own, all of one authority;
        `node_ca`: and has been told of that. `deaf`: no notification arrives;
        `fault`: the one that all of them have."""
        self.postgres = Postgres()
        self.relays = ({name: DeafRelay(self.postgres.dsn) for name in nodes}
                       if deaf else {})
        self.servers = {}
        for name in nodes:
            self.servers[name] = Server(
                environment={"ASSAY_FAULT": fault} if fault else None)
        first = self.servers[nodes[0]]
        self.blobs = first.root / "blobs"
        for name, server in self.servers.items():
            server.options = self.options(name)
        if tls:
            self.speak_tls(node_ca)
        first.start()
        for name in nodes[1:]:
            self.join(self.servers[name])
        self.workers = []
        places = [server.grpc for server in self.servers.values()]
        for index in range(workers):
            worker = Worker(first, f"worker-{index}", 1)
            turned = places[index % len(places):] + places[:index % len(places)]
            worker.address = "ipv4:" + ",".join(turned)
            worker.start()
            self.workers.append(worker)

    def options(self, name):
        store = self.relays.get(name, self.postgres)
        return ["--store", store.dsn, "--blobs", str(self.blobs),
                "--node", name, "--node-lost-after", "5"]

    def join(self, server):
        first = next(iter(self.servers.values()))
        server.data.mkdir(mode=0o700)
        shutil.copy(first.data / "admin.token", server.data)
        server.start()

    def add(self, name):
        self.servers[name] = Server(options=self.options(name))
        self.join(self.servers[name])
        return self.servers[name]

    def speak_tls(self, node_ca):
        first = next(iter(self.servers.values()))
        authority = Authority(first.root / "authority")
        for server in self.servers.values():
            certificate, key = server.root / "tls.pem", server.root / "tls.key"
            authority.issue(certificate, key)
            server.authority = authority.certificate
            server.options += ["--tls-cert", str(certificate), "--tls-key",
                               str(key), "--local-grpc", "127.0.0.1:0"]
            if node_ca:
                server.options += ["--node-ca", str(authority.certificate)]

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
        for relay in self.relays.values():
            relay.close()
        self.postgres.close()
