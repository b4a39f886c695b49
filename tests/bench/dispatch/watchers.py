"""A thousand watchers of one run, some of which stop reading: what the server
grows by, and whether the others are held up. They speak Connect over the web
port, as the dashboard does; a worker that executes nothing plays the run."""

import json
import os
import pathlib
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["ASSAY_SOURCE_DIR"], "tests/faults"))

EVENTS, TOGETHER, BYTES = 100, 10, 4096
# A run that says so little ends at once for whoever reads.
STALLED = 100


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def watch(address, token, run, reads=True):
    """A socket that has asked for every event of the run."""
    host, port = address.removeprefix("http://").rsplit(":", 1)
    # With a small window, one that does not read is seen to soon.
    reader = socket.socket()
    if not reads:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((host, int(port)))
    message = json.dumps({"name": run, "afterSequence": "-1"}).encode()
    body = struct.pack(">BI", 0, len(message)) + message
    reader.sendall((f"POST /assay.v1.RunService/WatchRun HTTP/1.1\r\nHost: {host}\r\n"
                    "Content-Type: application/connect+json\r\n"
                    f"Authorization: Bearer {token}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
    return reader


def read_to_the_end(readers, seconds=300):
    """When the last of `readers` had the run's last event."""
    selector = selectors.DefaultSelector()
    tails = {}
    for reader in readers:
        reader.setblocking(False)
        selector.register(reader, selectors.EVENT_READ)
        tails[reader] = b""
    left, give_up = set(readers), time.monotonic() + seconds
    while left:
        if time.monotonic() > give_up:
            raise SystemExit(f"{len(left)} watchers have not had the end")
        for key, _ in selector.select(1):
            reader = key.fileobj
            chunk = reader.recv(1 << 18)
            tails[reader] = (tails[reader] + chunk)[-4096:]
            if not chunk or b"STATE_FINISHED" in tails[reader]:
                if b"STATE_FINISHED" not in tails[reader]:
                    raise SystemExit(f"a stream broke off: {tails[reader][-300:]}")
                selector.unregister(reader)
                left.discard(reader)
    return time.monotonic()


def push(candidate):
    try:
        candidate.git("push", "origin", "HEAD:main")
    except subprocess.TimeoutExpired:
        # Of a machine that has other things to do; the run goes on.
        pass


def beat(worker, lease, ended):
    while not ended.wait(2):
        worker.beat(lease)


def one_run(assay, worker, candidate, count, stalled):
    """(MB grown, seconds from the first event to everybody's last)."""
    from fake_worker import finished, log, result

    candidate.commit({"a.txt": f"{time.time_ns()}\n"})
    worker.demand()
    # It stays until it has heard its results.
    pushing = threading.Thread(target=push, args=(candidate,))
    pushing.start()
    lease = worker.hear("lease", 20)
    run, ended = "runs/" + lease.run, threading.Event()
    beating = threading.Thread(target=beat, args=(worker, lease, ended))
    beating.start()
    token = (assay.data / "admin.token").read_text().strip()
    pid = assay.server.process.pid
    before = resident(pid)
    stopped = [watch(assay.web, token, run, reads=False) for _ in range(stalled)]
    readers = [watch(assay.web, token, run) for _ in range(count - stalled)]
    time.sleep(2)
    begun = time.monotonic()
    # As a worker does it, some at a time: heartbeats come behind them.
    for first in range(0, EVENTS, TOGETHER):
        worker.report(lease, first + 1, *(
            log("x" * BYTES, "build", number * BYTES)
            for number in range(first, first + TOGETHER)))
    worker.report(lease, EVENTS + 1, result("answers", 1), finished())
    took = read_to_the_end(readers) - begun
    grown = resident(pid) - before
    ended.set()
    beating.join()
    pushing.join()
    for reader in readers + stopped:
        reader.close()
    return grown, took


def watchers(assay, count):
    """Rows of (metric, unit, ours, peer's name, peer, most ratio)."""
    from fake_worker import FakeWorker
    from run_history import RunHistory

    assay.worker.stop()
    assay.worker = None
    assay.assignment("watched")
    candidate = assay.candidate("watched", name="Mary")
    worker = FakeWorker(assay, RunHistory(), "bench").attach()
    try:
        _, alone = one_run(assay, worker, candidate, count - STALLED, 0)
        grown, took = one_run(assay, worker, candidate, count, STALLED)
    finally:
        worker.leave()
    return [(f"{count:,} watchers of one run, {STALLED} of them stopped: assayd grows",
             "MB", grown, "budget", 200, 1),
            ("the others have its last event", "s", took,
             "without the stopped ones", alone, 1.5)]
