"""How long a queue takes to drain whose runs do nothing, and who is busy
meanwhile: copies of one finished run are queued while the server is down. What
the kernel does after cells counts as the workers'."""

import os
import pathlib
import random
import sqlite3
import time

TICKS = os.sysconf("SC_CLK_TCK")
# A command in one cell: no service, no sidecar.
NOTHING = """version: 1
name: Nothing
limits: { cpus: 1, memory: 64MiB }
visibility: public
checks:
  - { id: nothing, title: Nothing, points: 0, steps: [ { command: "true" } ] }
"""


def descendants(pid):
    found, fresh = [pid], [pid]
    while fresh:
        children = []
        for parent in fresh:
            for tasks in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
                try:
                    children += [int(child) for child in tasks.read_text().split()]
                except OSError:
                    pass
        found += children
        fresh = children
    return found


def cpu_seconds(pid):
    """Of a process, its descendants, and those that they have waited for."""
    total = 0
    for process in descendants(pid):
        try:
            stat = pathlib.Path(f"/proc/{process}/stat").read_text()
        except OSError:
            continue
        total += sum(int(ticks) for ticks in stat.rpartition(")")[2].split()[11:15])
    return total / TICKS


def kernel_seconds():
    """Of the kernel's own threads: they take down the namespaces, mounts and
    cgroups that cells leave."""
    total, seen = 0, False
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == "2":
            seen = True
            total += int(fields[11]) + int(fields[12])
    if not seen:
        raise SystemExit("the kernel's threads cannot be seen, as in a process "
                         "namespace: run this outside of one")
    return total / TICKS


def machine_seconds():
    """(busy, all) of every processor together."""
    ticks = [int(word) for word in
             pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICKS, sum(ticks) / TICKS


def queue_copies(store, run, count):
    """Queued runs as `run` was, in a store that nobody else has open."""
    db = sqlite3.connect(store)
    columns = [row[1] for row in db.execute("PRAGMA table_info(runs)")]
    changed = {"id": None, "state": 1, "epoch": 0, "worker": "", "losses": 0,
               "outcome": 0, "outcome_reason": "", "score": None,
               "start_time": None, "finish_time": None, "lease_expiry": None,
               "next_offset": 1, "next_sequence": 1, "queue_time": None,
               # Of an attempt of its own each, and none replaces another.
               "attempt": None, "at_once": 0}
    lane = db.execute(
        "SELECT assignment, lane FROM runs WHERE id = ?", [run]).fetchone()
    assert lane and lane[1].startswith(lane[0]), lane
    model = dict(zip(columns, db.execute(
        "SELECT * FROM runs WHERE id = ?", [run]).fetchone()))
    rows = []
    for number in range(count):
        copy = dict(model, **changed)
        copy.update(id="run_%032x" % random.getrandbits(128),
                    attempt=model["attempt"],
                    queue_time=model["queue_time"] + number)
        rows.append([copy[column] for column in columns])
    db.executemany("INSERT INTO runs VALUES ("
                   + ", ".join("?" * len(columns)) + ")", rows)
    db.commit()
    db.close()


def finish_times(store, since):
    db = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    times = [row[0] for row in db.execute(
        "SELECT finish_time FROM runs WHERE state = 3 AND outcome = 1 AND "
        "finish_time > ? ORDER BY finish_time", [since])]
    db.close()
    return times


def count_finished(store, since):
    db = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    count = db.execute("SELECT COUNT(*) FROM runs WHERE state = 3 AND "
                       "outcome = 1 AND finish_time > ?", [since]).fetchone()[0]
    db.close()
    return count


def drain(assay, count):
    """Rows of (metric, unit, ours, peer's name, peer, most ratio)."""
    assay.assignment("nothing-at-all", suite=NOTHING)
    candidate = assay.candidate("nothing-at-all", name="Grace")
    candidate.commit({"a.txt": "a\n"})
    candidate.push()
    run = candidate.pushed_run()
    if run["outcome"] != "OUTCOME_COMPLETED":
        raise SystemExit(f"{run['outcome']}: {run.get('outcomeReason')}")
    assay.worker.stop()
    assay.worker = None
    assay.server.stop()
    store = assay.data / "store.db"
    queue_copies(store, run["name"].removeprefix("runs/"), count)
    assay.start_server()
    since = time.time_ns() // 1000
    slots = 2 * os.cpu_count()
    assay.start_worker("--slots", str(slots))
    pid = assay.worker.process.pid
    # The beginning, which prepares things once, is not what is asked about.
    while count_finished(store, since) < min(50, count // 2):
        time.sleep(0.2)
    started, ours = time.monotonic(), cpu_seconds(pid) + kernel_seconds()
    busy, everything = machine_seconds()
    # Well before the end, when not every slot has a run any more.
    done, enough = 0, count - count // 20
    while done < enough:
        time.sleep(1)
        done = count_finished(store, since)
        if time.monotonic() - started > 900:
            raise SystemExit(f"only {done} of {count} runs in 15 minutes")
    took = time.monotonic() - started
    now_busy, now_everything = machine_seconds()
    workers = ((cpu_seconds(pid) + kernel_seconds() - ours) /
               (took * os.cpu_count()))
    machine = (now_busy - busy) / (now_everything - everything)
    while count_finished(store, since) < count:
        time.sleep(0.5)
        if time.monotonic() - started > 900:
            raise SystemExit("the last runs of the queue do not end")
    times = finish_times(store, since)
    part = max(1, len(times) // 5)
    first = part / (times[part - 1] - times[0] + 1) * 1e6
    last = part / (times[-1] - times[-part] + 1) * 1e6
    label = f"{count:,} queued runs drain"
    return [(f"{label}: cores that are not busy in workers", "%",
             100 * (1 - workers), "budget", 10, 1),
            (f"{label}: cores that nobody uses", "%", 100 * (1 - machine),
             "budget", 10, 1),
            (f"{label}: runs a second, the last fifth", "/s", last,
             "the first fifth", first, 1.25)]
