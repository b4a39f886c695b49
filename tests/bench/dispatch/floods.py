"""How long it takes until both ports answer (over gRPC, and with something
written over the web) beside connections that nobody uses."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ["ASSAY_SOURCE_DIR"], "tests/faults"))
from fleet import speak_tls  # noqa: E402
from flood import HALF_A_HELLO, Flood, allow_descriptors, answers  # noqa: E402
from server import Server  # noqa: E402

IDLE, HANDSHAKES, SECONDS = 10_000, 1_000, 12


def until_answered(server):
    began = time.monotonic()
    while not answers(server):
        if time.monotonic() - began > 60:
            raise SystemExit("no answer within a minute")
        time.sleep(0.02)
    return time.monotonic() - began


def flooded(measure, tls=False, **how):
    server = Server(**how)
    try:
        if tls:
            speak_tls(server)
        server.start()
        server.assignment("task")
        return measure(server, [server.grpc, server.web])
    finally:
        server.close()


def beside_idle_ones(server, addresses):
    began = time.monotonic()
    flood = Flood(addresses, IDLE)
    until_answered(server)
    took = time.monotonic() - began
    flood.close()
    return took


def beside_handshakes(server, addresses):
    flood = Flood(addresses, HANDSHAKES, words=HALF_A_HELLO, again=True)
    worst, end = 0.0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        worst = max(worst, until_answered(server))
    flood.close()
    return worst


def without_descriptors(server, addresses):
    flood = Flood(addresses, HANDSHAKES)
    time.sleep(4)
    flood.close()
    return until_answered(server)


def floods():
    """Rows of (metric, unit, ours, peer's name, peer, most ratio)."""
    found = []
    if allow_descriptors() >= IDLE + 1000:
        found.append((f"{IDLE:,} idle connections: both ports answer after",
                      flooded(beside_idle_ones)))
    found.append((f"{HANDSHAKES:,} TLS handshakes at a time that nobody finishes: "
                  "longest answer", flooded(beside_handshakes, tls=True)))
    found.append((f"{HANDSHAKES:,} connections took all descriptors: both ports "
                  "answer again after", flooded(
                      without_descriptors,
                      prefix=["prlimit", "--nofile=160:160"])))
    return [(what, "s", took, "budget", 15, 1) for what, took in found]
