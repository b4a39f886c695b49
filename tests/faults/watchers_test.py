#!/usr/bin/python3
"""Readers of one run that are slow, stopped, or reconnect all the time, while
it writes much: they hold up nobody, cost little memory, and whoever reads on
sees each event once and in order. `ASSAY_FAULT_READERS` and
`ASSAY_FAULT_MEGABYTES` say how many (200 and 50 in the long run)."""

import os
import pathlib
import threading
import time
import unittest

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
import grpc  # noqa: E402

from fake_worker import finished, result  # noqa: E402
from fleet import wait_for  # noqa: E402
from messages import RunEvent, run_service_pb2  # noqa: E402
from replies_test import CANNED, varint  # noqa: E402
from watcher import WATCH, Watcher  # noqa: E402
from workers_test import Installation  # noqa: E402

READERS = int(os.environ.get("ASSAY_FAULT_READERS", "40"))
MEGABYTES = int(os.environ.get("ASSAY_FAULT_MEGABYTES", "8"))
PIECE = 32 << 10


def much():
    """The output of a run: logs of that size, then its results."""
    content = b"x" * (PIECE - 1) + b"\n"
    for index in range(MEGABYTES << 20 >> 15):
        yield RunEvent(log=RunEvent.Log(stream="service", offset=index * PIECE,
                                        content=content))
    yield RunEvent(log=RunEvent.Log(stream="service", end=True,
                                    offset=(MEGABYTES << 20 >> 15) * PIECE))
    yield from (result("first", 4), result("second", 6), finished())


def resident(pid):
    text = pathlib.Path("/proc", str(pid), "status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) << 10


class Reader:
    """Over a connection of its own; counts, and reads as it is told to."""

    def __init__(self, server, run, pause=0.0, stops=False, breaks=None):
        self.server, self.run = server, run
        self.pause, self.stops, self.breaks = pause, stops, breaks
        self.count, self.gaps, self.over, self.leaving = 0, 0, False, False
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        while not (self.over or self.leaving):
            self.channel = grpc.insecure_channel(
                self.server.grpc, options=[("grpc.use_local_subchannel_pool", 1)])
            try:
                self.read()
            except grpc.RpcError:
                time.sleep(0.02)
            self.channel.close()

    def read(self):
        request = run_service_pb2.WatchRunRequest(
            name="runs/" + self.run, after_sequence=self.count or -1)
        call = self.channel.unary_stream(WATCH)(
            request.SerializeToString(), timeout=600,
            metadata=[("authorization", "Bearer " + self.server.admin)])
        taken = 0
        for message in call:
            event = run_service_pb2.WatchRunResponse.FromString(message).event
            self.gaps += event.sequence != self.count + 1
            self.count = event.sequence
            self.over = event.state_changed.state == 3
            taken += 1
            while self.stops and taken >= 3 and not self.leaving:
                time.sleep(0.05)
            time.sleep(self.pause)
            if self.leaving or (self.breaks and taken >= self.breaks):
                call.cancel()
                return


class WatchersTest(Installation):
    workers, slots = 1, 1

    def setUp(self):
        super().setUp()
        worker = self.fleet.workers[0]
        worker.stop()
        with open(worker.root / "piece-0", "wb") as file:
            for event in much():
                content = event.SerializeToString()
                file.write(varint(len(content)) + content)
        (worker.root / "assay-run").write_text(CANNED.format(folder=worker.root))

    def executed(self, readers):
        """Seconds from the worker's start to the verdict, with `readers` of the
        run there; who they are."""
        _, commit = self.pushed()
        run = self.run_of(commit)
        watching = [make(run) for make in readers]
        began = time.monotonic()
        self.assertTrue(self.fleet.workers[0].start())
        wait_for(lambda: self.run_row(run)["state"] == 3, 300, "the run ends")
        took = time.monotonic() - began
        self.fleet.workers[0].stop()
        return run, took, watching

    def readers(self):
        def make(**how):
            return lambda run: Reader(self.server, run, **how)
        each = READERS // 3
        # More that read all at once would take the processors from the run.
        return ([make(stops=True)] * each + [make(pause=0.5)] * each +
                [make(breaks=5, pause=0.2)] * each + [make()] * 4)

    def test_slow_readers_hold_up_nobody(self):
        _, alone, _ = self.executed([])
        before = resident(self.server.process.pid)
        peak, done = [before], threading.Event()

        def measure():
            while not done.wait(0.1):
                peak.append(resident(self.server.process.pid))

        measuring = threading.Thread(target=measure)
        measuring.start()
        run, crowded, watching = self.executed(self.readers())
        # Whoever reads on comes to the end.
        reading = [reader for reader in watching
                   if not (reader.stops or reader.pause)]
        self.assertEqual(len(reading), 4)
        wait_for(lambda: all(reader.over for reader in reading), 200,
                 "readers come to the end")
        done.set()
        measuring.join()
        for reader in watching:
            reader.leaving = True
        self.history.note("pace", alone=alone, crowded=crowded,
                          grown=max(peak) - before)
        print(f"\n{READERS} readers, {MEGABYTES} MB: {alone:.1f} s without, "
              f"{crowded:.1f} s with them, {max(peak) - before >> 20} MB more")
        # Readers that are behind hold little each.
        self.assertLess(max(peak) - before, (READERS + 32) << 20)
        self.assertEqual([reader.gaps for reader in watching if reader.gaps], [])
        Watcher(self.server, self.history, "afterwards").follow(
            "runs/" + run, lambda: False, leave_after=50)
        for reader in watching:
            reader.thread.join(5)

    def test_what_is_seen_is_what_is_stored(self):
        run, _, _ = self.executed([])
        watcher = Watcher(self.server, self.history, "one")
        self.assertTrue(watcher.follow("runs/" + run, lambda: False, leave_after=9))


if __name__ == "__main__":
    unittest.main()
