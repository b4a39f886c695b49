"""What clients, watchers and workers were told of runs: each answer with the
number of its operation and the time at which it came. Kept in a file as well,
so that a history that breaks an invariant can be read afterwards."""

import collections
import json
import threading
import time

from checker import History


class RunHistory(History):
    """Kinds of notes, each with what the checker asks of it:

    expected      commit, answer (of fleet.ANSWERS)
    verdict       run, outcome, earned: a client saw the run finished
    watched       run, watcher, seen [[sequence, digest]], ended
    leased        worker, run, epoch: heard by that worker
    acknowledged  worker, run, epoch, next_offset
    refused       worker, run, epoch, marks: contents of writes that were
                  answered with `revoke`
    survived      worker, run, cells: what a refused worker still ran
    asked         attempt, request: to hand in, once however often it is said
    answered      method, request, digest: of an answer to a repeatable call
    pace          alone, crowded (seconds), grown (bytes)
    skew          program, said, served, named
    drained       worker, run, epoch, losses: held when SIGTERM came
    recovered     what, seconds
    away          since, until: a coordinator was paused or cut off
    """

    def __init__(self, file=None):
        super().__init__()
        self.notes = collections.defaultdict(list)
        self.lock, self.number = threading.Lock(), 0
        self.file = open(file, "a") if file else None

    def note(self, kind, **what):
        with self.lock:
            self.number += 1
            entry = dict(what, op=self.number, time=time.time())
            self.notes[kind].append(entry)
            if self.file:
                self.file.write(json.dumps(dict(entry, kind=kind)) + "\n")
                self.file.flush()

    def of(self, kind):
        with self.lock:
            return list(self.notes[kind])

    def frozen(self):
        """What was told until now: to be taken before the store is read, which
        may take a while, and must not be held against later answers."""
        copy = RunHistory()
        with self.lock:
            for kind, entries in self.notes.items():
                copy.notes[kind] = list(entries)
            for name in ("pushes", "started", "submitted", "assignments"):
                setattr(copy, name, list(getattr(self, name)))
        return copy

    def save(self):
        """The clients' part too, for whoever looks at a failure."""
        if self.file:
            for name in ("pushes", "started", "submitted", "assignments"):
                for entry in getattr(self, name):
                    self.file.write(json.dumps({"kind": name, "what": entry}) + "\n")
            self.file.flush()
