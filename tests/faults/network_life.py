"""Two coordinators over one PostgreSQL, and workers, each on a machine of its
own that is cut off, paused or killed while candidates push to either."""

import signal
import time

from checker import Store
from fleet import KEYS, FaultyBucket, Fleet, Worker, wait_for
from fleet_life import FleetLife
from hosts import HERE, Host, NetworkPostgres
from server import Lost, Refused, Server

# How long a machine is away: less and more than a lease.
SHORT, LONG = (0.3, 3.0), (11.0, 14.0)
TARGETS = [(what, how) for what in ("coordinator", "worker")
           for how in ("cut", "pause", "kill")] + [
    ("both coordinators", "kill"), ("postgres", "kill")]


class NetworkFleet(Fleet):
    def __init__(self, coordinators=2, workers=2, slots=2, bucket=None):
        self.postgres, self.bucket = NetworkPostgres(), bucket
        self.servers, self.hosts = [], []
        for index in range(coordinators):
            host = self.host(11 + index)
            server = Server(prefix=host.prefix,
                            environment=KEYS if bucket else None)
            if index == 0:
                self.blobs = bucket.folder if bucket else server.root / "blobs"
            server.options = ["--store", self.postgres.dsn, "--node",
                              f"node-{index + 1}", "--advertise", host.address,
                              "--insecure", *(bucket.options if bucket else
                                              ["--blobs", str(self.blobs)])]
            server.grpc, server.web = f"{host.address}:7070", f"{host.address}:7080"
            server.host, server.first = host, (self.servers or [server])[0]
            self.servers.append(server)
        self.server, self.workers = self.servers[0], []
        for index in range(workers):
            worker = Worker(self.server, f"worker-{index}", slots)
            worker.host = self.host(21 + index)
            worker.prefix = worker.host.prefix
            # Each begins with another coordinator.
            order = self.servers[index % 2:] + self.servers[:index % 2]
            worker.address = "ipv4:" + ",".join(server.grpc for server in order)
            self.workers.append(worker)

    def host(self, number):
        self.hosts.append(Host(number))
        return self.hosts[-1]

    def start(self):
        for server in self.servers:
            server.start()
        for worker in self.workers:
            worker.start()
        return self

    def stop_all(self):
        for host in self.hosts:
            host.resume()
        for worker in self.workers:
            worker.kill()
        for server in self.servers:
            server.kill()

    def close(self):
        self.stop_all()
        if self.bucket:
            self.bucket.close()
        self.postgres.close()
        for server in reversed(self.servers):
            server.close()
        for host in self.hosts:
            host.close()

    def keep(self):
        self.stop_all()
        if self.bucket:
            self.bucket.close(keep=True)
        self.postgres.process.send_signal(signal.SIGINT)
        self.postgres.process.wait(30)
        for host in self.hosts:
            host.close()


class NetworkLife(FleetLife):
    def __init__(self, choice, blobs="local"):
        super().__init__(choice, "postgres", blobs=blobs)

    def make(self, store, workers, tls):
        return NetworkFleet(workers=workers, bucket=self.bucket)

    def make_bucket(self):
        return FaultyBucket(self.choice, HERE)

    def push(self, candidate):
        with self.lock:
            candidate.server = self.choice.choice(self.fleet.servers)
        super().push(candidate)

    def kill_at(self, program, point):
        """One thing away for a while, and everything back again."""
        with self.lock:
            span = self.choice.uniform(*self.choice.choice((SHORT, SHORT, LONG)))
            server = self.choice.choice(self.fleet.servers)
            worker = self.choice.choice(self.fleet.workers)
        self.begin()
        began = time.time()
        try:
            time.sleep(0.5)
            if program == "postgres":
                self.fleet.postgres.kill()
                time.sleep(min(span, SHORT[1]))
            elif point == "kill":
                self.kill_machine(program, server, worker)
                time.sleep(span)
            else:
                self.take_away(worker if program == "worker" else server, point, span)
        finally:
            self.history.note("away", since=began, until=time.time())
            self.repair()
            self.end()
        return True

    def kill_machine(self, program, server, worker):
        if program == "worker":
            worker.process.kill()
            worker.process.wait()
        for each in self.fleet.servers if program.startswith("both") else [server]:
            if program != "worker":
                each.process.kill()
                each.process.wait()

    def take_away(self, machine, how, span):
        host = machine.host
        if how == "cut":
            host.cut()
            time.sleep(span)
            host.mend()
        else:
            host.pause(machine.process.pid)
            time.sleep(span)
            host.resume()

    def repair(self):
        self.trouble(False)
        began = time.monotonic()
        postgres = self.fleet.postgres
        if postgres.process.poll() is not None:
            postgres.start()
            self.note_recovery("postgres", postgres.ready_after)
        for server in self.fleet.servers:
            if not server.alive():
                server.reap()
                server.start()
                self.note_recovery("assayd", server.ready_after)
        for worker in self.fleet.workers:
            if not worker.alive():
                worker.stop(signal.SIGKILL)
                worker.start()
                self.note_recovery("worker", worker.ready_after)
        for server in self.fleet.servers:
            self.write_at(server)
        self.note_recovery("all", time.monotonic() - began)

    def write_at(self, server):
        def write():
            try:
                name = f"kept-{next(self.serial)}"
                server.assignment(name)
                self.history.assignments.append(name)
                return True
            except (Lost, Refused):
                return False
        wait_for(write, 30, "a write is taken at both")

    def store(self):
        return Store(self.server.data, self.seen, self.fleet.dsn,
                     blobs=self.fleet.blobs,
                     homes={f"node-{index + 1}": server.data for index, server
                            in enumerate(self.fleet.servers)})
