"""A worker that executes nothing: it speaks the lease service, one message at a
time, as a test wants it, and keeps what it was told."""

import os
import queue
import threading
import time

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
import grpc  # noqa: E402

from messages import (AttachRequest, AttachResponse, CheckResult,  # noqa: E402
                      Run, RunEvent)

ATTACH = "/assay.runner.v1.LeaseService/Attach"


class Silent(Exception):
    """Nothing of that kind came in time."""


class FakeWorker:
    def __init__(self, server, history, name, slots=1, version="fake",
                 address=None):
        self.history, self.name, self.slots = history, name, slots
        self.version, self.pool = version, ""
        self.id = f"wrk_{name}_{os.getpid()}"
        self.address = address or server.grpc
        self.token = (server.data / "worker.token").read_text().strip()
        self.inbox = self.outbox = None
        self.leases = {}
        self.error = None

    def attach(self, held=()):
        """Over a connection of its own."""
        self.channel = grpc.insecure_channel(
            self.address, options=[("grpc.use_local_subchannel_pool", 1)])
        # What an earlier connection still had to say belongs to that one.
        self.inbox, self.outbox = queue.Queue(), queue.Queue()
        self.call = self.channel.stream_stream(
            ATTACH, lambda message: message if isinstance(message, bytes)
            else message.SerializeToString(), AttachResponse.FromString)(
                iter(self.outbox.get, None),
                metadata=[("authorization", "Bearer " + self.token)])
        self.error = None
        self.thread = threading.Thread(target=self.listen,
                                       args=(self.call, self.inbox), daemon=True)
        self.thread.start()
        hello = AttachRequest.Hello(worker_id=self.id, version=self.version,
                                    slots=self.slots, cores=2 * self.slots,
                                    name=self.name, pool=self.pool)
        for lease in held:
            hello.held.add(run=lease.run, epoch=lease.epoch)
        self.send(hello=hello)
        return self

    def send(self, **content):
        self.outbox.put(AttachRequest(**content))

    def listen(self, call, inbox):
        try:
            for message in call:
                if message.HasField("lease"):
                    lease = message.lease
                    self.history.note("leased", worker=self.name, run=lease.run,
                                      epoch=lease.epoch)
                inbox.put(message)
        except grpc.RpcError as error:
            self.error = error
        inbox.put(None)

    def hear(self, kind, seconds=5, run=None):
        """The next message of that kind, past all others."""
        give_up = time.monotonic() + seconds
        while (left := give_up - time.monotonic()) > 0:
            try:
                message = self.inbox.get(timeout=left)
            except queue.Empty:
                break
            if message is None:
                raise Silent(f"{self.name} was sent away: {self.error}")
            if message.HasField(kind):
                found = getattr(message, kind)
                if run is None or found.run == run:
                    return found
        raise Silent(f"{self.name} heard no {kind} in {seconds} s")

    def demand(self, count=1):
        self.send(demand=AttachRequest.Demand(count=count))

    def beat(self, *leases):
        beat = AttachRequest.Heartbeat()
        for lease in leases:
            beat.held.add(run=lease.run, epoch=lease.epoch)
        self.send(heartbeat=beat)

    def report(self, lease, offset, *events):
        self.send(report=AttachRequest.Report(
            run=lease.run, epoch=lease.epoch, first_offset=offset, events=events))

    def acknowledged(self, lease, seconds=5):
        told = self.hear("ack", seconds, lease.run)
        self.history.note("acknowledged", worker=self.name, run=lease.run,
                          epoch=lease.epoch, next_offset=told.next_offset)
        return told.next_offset

    def hand_back(self, lease, fault=False, reason="a test"):
        self.send(hand_back=AttachRequest.HandBack(
            run=lease.run, epoch=lease.epoch, reason=reason, fault=fault))

    def execute(self, lease, seconds=5):
        """From the first event to the last, acknowledged."""
        self.report(lease, 1, *whole_run())
        return self.acknowledged(lease, seconds)

    def leave(self):
        """The connection breaks."""
        self.call.cancel()
        self.outbox.put(None)
        self.channel.close()


def log(text, stream="build", offset=0, end=False):
    return RunEvent(log=RunEvent.Log(stream=stream, content=text.encode(),
                                     offset=offset, end=end))


def result(check, points, verdict=1):
    return RunEvent(check_finished=RunEvent.CheckFinished(result=CheckResult(
        check_id=check, verdict=verdict, points=points,
        earned=points if verdict == 1 else 0)))


def finished(outcome=Run.OUTCOME_COMPLETED, reason=""):
    return RunEvent(finished=RunEvent.Finished(outcome=outcome, reason=reason))


def whole_run():
    """Of an answer that is whole, by fleet.RUN_SUITE."""
    return (log("made\n", end=True), result("first", 4), result("second", 6),
            finished())
