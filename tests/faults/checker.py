"""The invariants of docs/reliability.md as queries over what a server has
left: its store and its repositories, beside what its clients were told."""

import datetime
import os
import sqlite3
import subprocess
import time

from server import ENVIRONMENT

RECEIVED, ACCEPTED, REFUSED = 1, 2, 3
CANDIDATE, DEADLINE = 1, 2
STARTED, SUBMITTED = 2, 3
NONE = "0" * 40


def micros(text):
    """"2026-01-01 00:00:00.123", as candidates are told."""
    moment = datetime.datetime.fromisoformat(text).replace(
        tzinfo=datetime.timezone.utc)
    return round(moment.timestamp() * 1e6)


class History:
    """What clients were told, in the order of telling."""

    def __init__(self):
        self.pushes = []       # (attempt, commit, answer, receive time)
        self.started = []      # attempt
        self.submitted = []    # (attempt, number, commit)
        self.assignments = []  # id


# What the tests' S3 server puts behind the name of an object's file.
IN_A_BUCKET = "._S3rver_object"


class Store:
    """One moment of a store; `dsn` names it when it is PostgreSQL. `seen` keeps
    what git said of repositories in which no file changed."""

    def __init__(self, data, seen=None, dsn=None, blobs=None, homes=None):
        """`homes`: data directories by node, where there are several."""
        self.data, self.seen = data, {} if seen is None else seen
        self.dsn, self.blobs = dsn, blobs or data / "blobs"
        self.homes = homes
        if dsn:
            self.db = open_postgres(dsn)
            return
        self.db = sqlite3.connect(f"file:{data / 'store.db'}?mode=ro", uri=True,
                                  timeout=30, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("BEGIN")

    def look_again(self):
        """Makes this another moment of the store."""
        self.db.rollback()
        if not self.dsn:
            self.db.execute("BEGIN")

    def rows(self, query, *values):
        if not self.dsn:
            return self.db.execute(query, values).fetchall()
        cursor = self.db.cursor()
        cursor.execute(query.replace("?", "%s"), values)
        return cursor.fetchall()

    def blob(self, digest):
        """Its bytes, or nothing."""
        file = self.blobs / digest[:2] / digest
        for each in (file, file.with_name(file.name + IN_A_BUCKET)):
            if digest and each.exists():
                return each.read_bytes()
        return None

    def close(self):
        self.db.close()

    def git(self, repository, *arguments):
        home = self.data
        if self.homes:
            # Others may have what it was before it moved.
            [row] = self.rows("SELECT home FROM repositories WHERE id = ?",
                              repository)
            home = self.homes[row["home"]]
        path = home / f"repositories/attempts/{repository}.git"
        files = frozenset(
            (place, name, *os.stat(os.path.join(place, name))[6:9])
            for place, _, names in os.walk(path) for name in names)
        known = self.seen.get((repository, arguments))
        if known and known[0] == files:
            return known[1]
        done = subprocess.run(["git", "-C", path, "-c", "safe.directory=*",
                               *arguments], env=ENVIRONMENT,
                              capture_output=True, text=True)
        self.seen[repository, arguments] = files, done
        return done

    def refs(self, repository):
        lines = self.git(repository, "for-each-ref", "--format=%(refname) "
                         "%(objectname)").stdout.splitlines()
        return dict(line.split() for line in lines)

    def reachable(self, repository):
        return set(self.git(repository, "rev-list", "--all").stdout.split())


def open_postgres(dsn):
    """One snapshot of it, whatever is written meanwhile."""
    import psycopg2
    import psycopg2.extras
    db = psycopg2.connect(dsn, cursor_factory=psycopg2.extras.RealDictCursor)
    db.set_session(isolation_level="REPEATABLE READ", readonly=True)
    return db


def check(data, history, patience=8, seen=None, untouched=True):
    """The broken invariants, as sentences. What is repaired behind serving and
    what a deadline does may take a moment. `untouched`: also the repositories
    that nobody has pushed to."""
    give_up = time.monotonic() + patience
    seen = {} if seen is None else seen
    while True:
        store = Store(data, seen)
        try:
            problems = list(problems_of(store, history, untouched))
        finally:
            store.close()
        if not problems or time.monotonic() > give_up:
            return problems
        time.sleep(0.05)


def problems_of(store, history, untouched=True):
    yield from told(store, history)
    now = time.time() * 1e6
    for attempt in store.rows("SELECT * FROM attempts WHERE repository <> ''"):
        pushes = store.rows("SELECT * FROM pushes WHERE attempt = ? "
                            "ORDER BY sequence", attempt["id"])
        if pushes or untouched:
            yield from refs(store, attempt, pushes)
        yield from times(attempt, pushes)
        if attempt["cut_off_time"] and attempt["cut_off_time"] < now - 3e6:
            yield from deadline(store, attempt, pushes)
        yield from submissions(store, attempt)
    yield from chain(store)


def told(store, history):
    """1, 3, 18: what was acknowledged is there, what was refused is not."""
    for attempt, commit, answer, time_text in history.pushes:
        found = store.rows("SELECT * FROM pushes WHERE attempt = ? AND "
                           "new_commit = ?", attempt.split("/")[1], commit)
        accepted = [row for row in found if row["state"] == ACCEPTED]
        if answer == "ok":
            if not accepted:
                yield f"1: push of {commit} was acknowledged and has no row"
            elif abs(accepted[0]["receive_time"] - micros(time_text)) > 1000:
                yield f"1: push of {commit} was told another receive time"
        if answer == "refused" and accepted:
            yield f"3: push of {commit} was refused and is accepted"
        if answer == "cut" and found:
            yield f"3: {commit} was never sent whole and has a row"
    for attempt in history.started:
        if not store.rows("SELECT 1 FROM attempts WHERE id = ? AND state >= ?",
                          attempt.split("/")[1], STARTED):
            yield f"18: {attempt} was told that it has started"
    for attempt, number, commit in history.submitted:
        if not store.rows(
                "SELECT 1 FROM submissions WHERE attempt = ? AND number = ? "
                "AND commit_id = ?", attempt.split("/")[1], number, commit):
            yield f"18: submission {number} of {attempt} is gone"
    for assignment in history.assignments:
        if not store.rows("SELECT 1 FROM assignments WHERE id = ?", assignment):
            yield f"18: assignment {assignment} is gone"


def refs(store, attempt, pushes):
    """1, 2, 3: refs and rows tell the same."""
    repository = attempt["repository"]
    [template] = store.rows("SELECT template_commit FROM repositories "
                            "WHERE id = ?", repository)
    present = store.refs(repository)
    if "refs/heads/main" not in present:
        yield f"2: {repository} has no main"
        return
    known = {row["new_commit"] for row in pushes if row["state"] == ACCEPTED}
    for name, commit in present.items():
        if commit != template["template_commit"] and commit not in known:
            yield f"2: {name} of {repository} is at {commit} without a push"
    reachable = store.reachable(repository)
    for row in pushes:
        if row["state"] == RECEIVED:
            yield f"2: push {row['id']} has no end"
        if row["state"] == ACCEPTED and row["new_commit"] not in reachable:
            yield f"1: {row['new_commit']} of {repository} cannot be reached"
    accepted = [row for row in pushes if row["state"] == ACCEPTED]
    last = accepted[-1]["new_commit"] if accepted else template["template_commit"]
    if present["refs/heads/main"] != last:
        yield f"2: main of {repository} is not at its last push"


def times(attempt, pushes):
    """5: receive time decides."""
    for row in pushes:
        late = bool(attempt["cut_off_time"] and
                    row["receive_time"] > attempt["cut_off_time"])
        if row["state"] == ACCEPTED and bool(row["late"]) != late:
            yield f"5: push {row['id']} is judged wrongly"


def deadline(store, attempt, pushes):
    """4: once, and with the last push in time."""
    if attempt["state"] != SUBMITTED:
        yield f"4: the deadline of {attempt['id']} has not fired"
        return
    fired = store.rows("SELECT COUNT(*) AS n FROM audit_log WHERE action = "
                       "'attempt.deadline' AND subject = ?",
                       "attempts/" + attempt["id"])[0]["n"]
    if fired != 1:
        yield f"4: the deadline of {attempt['id']} fired {fired} times"
    made = store.rows("SELECT * FROM submissions WHERE attempt = ? "
                      "ORDER BY number", attempt["id"])
    if not made:
        yield f"4: {attempt['id']} has no submission"
    elif all(row["cause"] == DEADLINE for row in made):
        in_time = [row["new_commit"] for row in pushes
                   if row["state"] == ACCEPTED and not row["late"]]
        expected = in_time[-1] if in_time else ""
        if made[-1]["commit_id"] != expected:
            yield (f"4: {attempt['id']} handed in {made[-1]['commit_id']}, "
                   f"its last push in time was {expected}")


def submissions(store, attempt):
    """Row, final run and ref of each go together."""
    for row in store.rows("SELECT * FROM submissions WHERE attempt = ?",
                          attempt["id"]):
        if not row["commit_id"]:
            continue
        present = store.refs(attempt["repository"])
        if not store.rows("SELECT 1 FROM runs WHERE id = ? AND submission = ?",
                          row["run"], row["number"]):
            yield f"4: submission {row['number']} of {attempt['id']} has no run"
        ref = f"refs/submissions/{row['number']}"
        if present.get(ref) != row["commit_id"]:
            yield f"4: {ref} of {attempt['repository']} is at {present.get(ref)}"


def chain(store):
    previous, expected = "", 1
    for row in store.rows("SELECT sequence, previous_hash, hash FROM audit_log "
                          "ORDER BY sequence"):
        if row["previous_hash"] != previous or row["sequence"] != expected:
            yield f"18: audit record {row['sequence']} does not follow"
        previous, expected = row["hash"], row["sequence"] + 1
