#!/usr/bin/python3
"""Messages of the lease service lost, repeated, reordered, and streams cut,
between real workers and a real coordinator; what workers execute is canned, so
that there are many. `ASSAY_FAULT_OPERATIONS` says how many messages (10,000 in
the long run)."""

import os
import threading
import unittest

from fleet import wait_for
from messages import RunEvent
from reply_proxy import ReplyProxy
from fake_worker import whole_run
from workers_test import Installation

OPERATIONS = int(os.environ.get("ASSAY_FAULT_OPERATIONS", "1500"))
SEED = int(os.environ.get("ASSAY_FAULT_SEED", "1"))
CANDIDATES = 12

# What assay-run would write, in pieces that come too far apart for their
# worker to report them together.
CANNED = """\
#!/bin/sh
for piece in {folder}/piece-*; do /usr/bin/cat $piece >&5; /usr/bin/sleep 0.11; done
"""


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def pieces():
    """Fifteen reports of a whole run."""
    logs, at = [], 0
    for line in range(12):
        text = b"line %d\n" % line
        logs.append(RunEvent(log=RunEvent.Log(stream="service", offset=at,
                                              content=text)))
        at += len(text)
    logs.append(RunEvent(log=RunEvent.Log(stream="service", offset=at, end=True)))
    for event in [*logs, *whole_run()]:
        content = event.SerializeToString()
        yield varint(len(content)) + content


class RepliesTest(Installation):
    workers, slots = 2, 4

    def setUp(self):
        self.proxy = None
        super().setUp()
        self.proxy = ReplyProxy(self.server.grpc, SEED)
        self.addCleanup(self.proxy.close)
        for worker in self.fleet.workers:
            worker.stop()
            for index, piece in enumerate(pieces()):
                (worker.root / f"piece-{index:02}").write_bytes(piece)
            file = worker.root / "assay-run"
            file.write_text(CANNED.format(folder=worker.root))
            worker.address = self.proxy.address
            self.assertTrue(worker.start())

    def test_nothing_is_lost_and_nothing_counts_twice(self):
        people = [self.pushed()[0] for _ in range(CANDIDATES)]
        stopped = threading.Event()

        def submit(person):
            while not stopped.is_set():
                person.submit()
                stopped.wait(2)

        threads = [threading.Thread(target=submit, args=(person,))
                   for person in people]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: self.proxy.counts["messages"] > OPERATIONS,
                     max(400, OPERATIONS / 5), f"{OPERATIONS} messages")
        finally:
            stopped.set()
            for thread in threads:
                thread.join()
        # The rest comes through unharmed, so that all can end.
        self.proxy.quiet = True
        wait_for(lambda: not self.rows("SELECT 1 FROM runs WHERE state IN (1, 2)"),
                 90, "every run ends")
        rows = self.rows("SELECT outcome, losses, epoch FROM runs WHERE state = 3")
        print(f"\nseed {SEED}: {dict(self.proxy.counts)}; {len(rows)} runs, "
              f"{sum(row['epoch'] > 1 for row in rows)} leased more than once, "
              f"{sum(row['losses'] > 0 for row in rows)} counted as lost")
        for fate in ("lost", "twice", "swapped", "cut"):
            self.assertGreater(self.proxy.counts[fate], OPERATIONS / 300)
        # A message that gets lost is no fault of the run's: none is errored.
        self.assertEqual([row["outcome"] for row in rows if row["outcome"] != 1], [])


if __name__ == "__main__":
    unittest.main()
