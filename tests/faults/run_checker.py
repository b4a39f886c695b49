"""The invariants of runs and streams, 6 to 17 and 21 to 24 of
docs/reliability.md, as queries over what is left in the store and the blobs,
beside what workers, watchers and clients were told."""

import collections
import hashlib
import time

from fleet import ANSWERS
from messages import CheckResult, Run, RunEvent, Score, plan_pb2

QUEUED, RUNNING, FINISHED, SUPERSEDED = 1, 2, 3, 4
ERRORED, CANCELLED = Run.OUTCOME_ERRORED, Run.OUTCOME_CANCELLED
PUSH = Run.KIND_PUSH
MAX_LOSSES = 3
# Two clocks readings of one machine, around a transaction.
TOLERANCE = 250_000
# A lease that has run out is ended by a sweep each second.
SWEEP = 3_000_000
# What the coordinator adds to a run's own limits.
SLACK = 60_000_000


class Events:
    """Parsed once: rows of run_events never change (23 sees to that)."""

    def __init__(self):
        self.parsed = {}

    def of(self, store):
        by_run = collections.defaultdict(list)
        known = {run: len(events) for run, events in self.parsed.items()}
        for row in store.rows("SELECT run, sequence, epoch, content FROM "
                              "run_events ORDER BY run, sequence"):
            events = self.parsed.setdefault(row["run"], [])
            place = len(by_run[row["run"]])
            if place >= known.get(row["run"], 0):
                events.append((row["sequence"], row["epoch"],
                               bytes(row["content"]),
                               RunEvent.FromString(bytes(row["content"]))))
            elif events[place][2] != bytes(row["content"]):
                events[place] = (*events[place][:2], b"changed", events[place][3])
            by_run[row["run"]].append(events[place])
        return by_run


class Scene:
    """One reading of everything that is asked about."""

    def __init__(self, store, history, memory):
        self.store, self.history, self.memory = store, history, memory
        self.runs = {row["id"]: row for row in store.rows("SELECT * FROM runs")}
        self.events = memory.setdefault("events", Events()).of(store)
        self.results = collections.defaultdict(dict)
        for row in store.rows("SELECT * FROM check_results"):
            self.results[row["run"], row["epoch"]][row["check_id"]] = bytes(
                row["content"])

    def states(self, run):
        """[(time, epoch, state)] in the order of happening."""
        return [(micros(event.time), epoch, event.state_changed.state)
                for _, epoch, _, event in self.events[run]
                if event.HasField("state_changed")]

    def reported(self, run, epoch):
        """What a worker sent under that lease."""
        return [event for _, of, _, event in self.events[run]
                if of == epoch and not event.HasField("state_changed")]


def micros(timestamp):
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1000


def score_of(row):
    return Score.FromString(bytes(row["score"])) if row["score"] else None


def verdicts(scene):
    """6: one verdict set per run."""
    for run, row in scene.runs.items():
        words = [event.finished for event in scene.reported(run, row["epoch"])
                 if event.HasField("finished")]
        judged = row["state"] == FINISHED and row["outcome"] not in (
            ERRORED, CANCELLED)
        if judged and [word.outcome for word in words] != [row["outcome"]]:
            yield f"6: {run} has {len(words)} last words and outcome {row['outcome']}"
        said = collections.defaultdict(set)
        for _, epoch, _, event in scene.events[run]:
            if event.HasField("check_finished"):
                result = event.check_finished.result
                said[epoch, result.check_id].add(
                    result.SerializeToString(deterministic=True))
        for (epoch, check), contents in said.items():
            stored = scene.results[run, epoch].get(check)
            if stored is not None:
                contents.add(CheckResult.FromString(stored).SerializeToString(
                    deterministic=True))
            if len(contents) != 1:
                yield f"6: {check} of {run} has {len(contents)} verdicts in epoch {epoch}"
    for told in scene.history.of("verdict"):
        row = scene.runs.get(told["run"])
        if row is None or row["state"] != FINISHED or (
                row["outcome"] != told["outcome"]):
            yield f"6: {told['run']} was told to have ended otherwise"
        elif score_of(row) and score_of(row).earned != told["earned"]:
            yield f"6: {told['run']} was told to have another score"


def fencing(scene):
    """7: nothing is written under a lease that is over."""
    for run, events in scene.events.items():
        over, current = set(), 0
        for sequence, epoch, _, event in events:
            changes = event.HasField("state_changed")
            # What is queued again may be superseded or cancelled as it is.
            if epoch < current or (epoch in over and not changes):
                yield f"7: event {sequence} of {run} has the stale epoch {epoch}"
            current = max(current, epoch)
            if changes and event.state_changed.state != RUNNING:
                over.add(epoch)
    holder = {(told["run"], told["epoch"]): told["worker"]
              for told in scene.history.of("leased")}
    for told in scene.history.of("acknowledged"):
        lease = told["run"], told["epoch"]
        if holder.get(lease, told["worker"]) != told["worker"]:
            yield f"7: a write to {lease} by another than its worker was taken"
    refused = {mark for told in scene.history.of("refused")
               for mark in told["marks"]}
    if refused:
        for run, events in scene.events.items():
            for sequence, _, _, event in events:
                if event.log.content.decode(errors="replace") in refused:
                    yield f"7: event {sequence} of {run} was refused and is there"
    for told in scene.history.of("survived"):
        if told["cells"]:
            yield (f"7: {told['worker']} was refused and keeps "
                   f"{told['cells']} processes of {told['run']}")


def once(scene):
    """8: effective at most once; three losses end it, without a score."""
    for run, row in scene.runs.items():
        states = [state for _, _, state in scene.states(run)]
        ends = [state for state in states if state in (FINISHED, SUPERSEDED)]
        over = row["state"] in (FINISHED, SUPERSEDED)
        if ends != [row["state"]] * over:
            yield f"8: {run} has the ends {ends} and is in state {row['state']}"
        errored = row["state"] == FINISHED and row["outcome"] == ERRORED
        if row["losses"] > MAX_LOSSES or (row["losses"] == MAX_LOSSES) != errored:
            yield (f"8: {run} was lost {row['losses']} times and has outcome "
                   f"{row['outcome']}")
        if errored and row["score"]:
            yield f"8: {run} is errored and scored"
        if row["losses"] > row["epoch"]:
            yield f"8: {run} was lost more often than it was leased"


def repeats(scene):
    """9: a repeat has the answer of the first."""
    answers = collections.defaultdict(set)
    for told in scene.history.of("answered"):
        answers[told["method"], told["request"]].add(told["digest"])
    for (method, request), digests in answers.items():
        if len(digests) > 1:
            yield f"9: {method} answered {request} in {len(digests)} ways"
    asked = collections.defaultdict(set)
    for told in scene.history.of("asked"):
        asked[told["attempt"]].add(told["request"])
    for attempt, requests in asked.items():
        [made] = scene.store.rows(
            "SELECT COUNT(*) AS n FROM submissions WHERE attempt = ? AND cause = 1",
            attempt.split("/")[1])
        if made["n"] > len(requests):
            yield (f"9: {attempt} was asked to hand in {len(requests)} times and "
                   f"has done so {made['n']} times")


def deserved(scene):
    """10: a run comes to what its commit deserves, whoever died meanwhile."""
    expected = {told["commit"]: told["answer"]
                for told in scene.history.of("expected")}
    for run, row in scene.runs.items():
        if row["state"] != FINISHED or row["commit_id"] not in expected or (
                row["outcome"] in (ERRORED, CANCELLED)):
            continue
        _, outcomes, points = ANSWERS[expected[row["commit_id"]]]
        score = score_of(row)
        if row["outcome"] not in outcomes:
            yield (f"10: {run} of a commit that is {expected[row['commit_id']]} "
                   f"has outcome {row['outcome']}: {row['outcome_reason']}")
        elif score is None or score.earned != points:
            yield f"10: {run} earned {score and score.earned}, deserved {points}"


def silence(scene):
    """11: no lease outlives its term, nor a run its limits."""
    now = time.time() * 1e6
    for run, row in scene.runs.items():
        if row["state"] != RUNNING:
            continue
        if row["lease_expiry"] is None or row["lease_expiry"] < now - SWEEP:
            yield f"11: the lease of {run} has run out and it is still leased"
        plan = plan_of(scene, row)
        limit = plan and micros(plan.limits.run_timeout)
        began = row["start_time"]
        if limit and began and began + limit + SLACK + SWEEP < now:
            yield f"11: {run} goes on past its limits"


def under_way(scene):
    """{attempt: [(from, until)]} of its runs."""
    spans = collections.defaultdict(list)
    for run, row in scene.runs.items():
        began = None
        for moment, _, state in scene.states(run):
            if began is not None:
                spans[row["attempt"]].append((began, moment))
            began = moment if state == RUNNING else None
        if began is not None:
            spans[row["attempt"]].append((began, float("inf")))
    return spans


def order(scene):
    """12: priority, then the queue's order, also of what was queued again; a
    candidate's newest push replaces the one that waits, and pushes have no more
    runs under way than their assignment lets them."""
    waits, grants, spans = [], [], under_way(scene)

    def busy(row, moment, leeway):
        return sum(began - leeway < moment < until + leeway
                   for began, until in spans[row["attempt"]])
    for run, row in scene.runs.items():
        since = None
        for moment, _, state in scene.states(run):
            if state == QUEUED:
                since = moment
                continue
            if since is not None:
                waits.append((since, moment, row))
            if state == RUNNING:
                grants.append((moment, row))
                if 0 < row["at_once"] <= busy(row, moment, -TOLERANCE):
                    yield (f"12: {run} began beside {row['at_once']} others of "
                           f"{row['attempt']}")
            since = None
        if since is not None:
            waits.append((since, float("inf"), row))
    # A coordinator that stood still grants by the time at which it stopped.
    away = [(told["since"] * 1e6 - TOLERANCE, told["until"] * 1e6 + 1_000_000)
            for told in scene.history.of("away")]
    for moment, row in grants:
        if any(since <= moment <= until for since, until in away):
            continue
        for since, until, other in waits:
            if since + TOLERANCE > moment or until < moment + TOLERANCE:
                continue
            if 0 < other["at_once"] <= busy(other, moment, TOLERANCE):
                continue
            if other["priority"] > row["priority"]:
                yield f"12: {row['id']} was leased before {other['id']}, which is more urgent"
            same = all(other[key] == row[key] for key in ("priority", "assignment"))
            if same and other["queue_time"] + TOLERANCE < row["queue_time"]:
                yield f"12: {row['id']} was leased before {other['id']}, which is older"
    waiting = collections.Counter(
        row["attempt"] for row in scene.runs.values()
        if row["state"] == QUEUED and row["kind"] == PUSH)
    for attempt, count in waiting.items():
        if count > 1:
            yield f"12: {count} runs of pushes wait for {attempt}"


def logs(scene):
    """13: no gap and no repeat in any stream; an end where a run has ended."""
    for run, row in scene.runs.items():
        sequences = [event[0] for event in scene.events[run]]
        if sequences != list(range(1, row["next_sequence"])):
            yield f"13: the events of {run} are not 1 to {row['next_sequence'] - 1}"
        if row["epoch"] and row["state"] in (RUNNING, FINISHED):
            count = len(scene.reported(run, row["epoch"]))
            if count != row["next_offset"] - 1:
                yield f"13: {run} has {count} events, {row['next_offset'] - 1} were taken"
        at, ended = collections.defaultdict(int), set()
        for sequence, epoch, _, event in scene.events[run]:
            if not event.HasField("log"):
                continue
            log, stream = event.log, (epoch, event.log.stream)
            if stream in ended:
                yield f"13: {log.stream} of {run} goes on after its end"
            if log.offset != at[stream] and not log.truncated:
                yield (f"13: {log.stream} of {run} jumps from {at[stream]} to "
                       f"{log.offset}")
            at[stream] = log.offset + len(log.content)
            if log.end:
                ended.add(stream)
        judged = row["state"] == FINISHED and row["outcome"] == Run.OUTCOME_COMPLETED
        for epoch, stream in at:
            if judged and epoch == row["epoch"] and (epoch, stream) not in ended:
                yield f"13: {stream} of {run} has no end"


def readers(scene):
    """14: each event once and in order, to the end."""
    for told in scene.history.of("watched"):
        run, seen = told["run"], [tuple(pair) for pair in told["seen"]]
        stored = {sequence: hashlib.sha256(content).hexdigest()[:16]
                  for sequence, _, content, _ in scene.events[run]}
        sequences = [sequence for sequence, _ in seen]
        if sequences != list(range(1, len(seen) + 1)):
            yield f"14: {told['watcher']} did not see the events of {run} once and in order"
        for sequence, digest in seen:
            if stored.get(sequence) != digest:
                yield f"14: {told['watcher']} saw another event {sequence} of {run}"
        if told["ended"] and len(seen) != len(stored):
            yield f"14: {told['watcher']} came to the end of {run} at {len(seen)}"


def evidence(scene):
    """15: what a verdict rests on is there, whole."""
    for run, row in scene.runs.items():
        found = scene.results[run, row["epoch"]]
        told = {event.check_finished.result.check_id
                for event in scene.reported(run, row["epoch"])
                if event.HasField("check_finished")}
        if told != set(found):
            yield f"15: {run} has results of {sorted(found)}, events of {sorted(told)}"
        if row["state"] != FINISHED or row["outcome"] != Run.OUTCOME_COMPLETED:
            continue
        plan = plan_of(scene, row)
        asked = {check.id for check in plan.checks
                 if not (row["kind"] == PUSH and check.hidden)} if plan else set()
        if asked - set(found):
            yield f"15: {run} is judged without {sorted(asked - set(found))}"


def slow_readers(scene):
    """16: who reads slowly holds up nobody, and costs little."""
    for told in scene.history.of("pace"):
        if told["crowded"] > 2 * told["alone"] + 2:
            yield (f"16: {told['crowded']:.1f} s with slow readers, "
                   f"{told['alone']:.1f} s without")
        if told["grown"] > 200 << 20:
            yield f"16: slow readers cost {told['grown'] >> 20} MB"


def spans(scene):
    """17: a score comes from results, however many spans were dropped."""
    for run, row in scene.runs.items():
        for event in scene.reported(run, row["epoch"]):
            if event.HasField("spans") and event.spans.dropped < 0:
                yield f"17: {run} dropped {event.spans.dropped} spans"
        score = score_of(row)
        if score is None or row["outcome"] != Run.OUTCOME_COMPLETED:
            continue
        results = [CheckResult.FromString(content) for content
                   in scene.results[run, row["epoch"]].values()]
        earned = sum(result.points for result in results
                     if result.verdict == 1 and not result.bonus)
        if abs(earned - score.earned) > 1e-6:
            yield f"17: {run} earned {score.earned}, its results {earned}"


def authority(scene):
    """21: each lease was granted once, to one worker."""
    for run, row in scene.runs.items():
        granted = [epoch for _, epoch, state in scene.states(run)
                   if state == RUNNING]
        if granted != list(range(1, row["epoch"] + 1)):
            yield f"21: {run} is at epoch {row['epoch']} and was leased as {granted}"
    holders = collections.defaultdict(set)
    for told in scene.history.of("leased"):
        holders[told["run"], told["epoch"]].add(told["worker"])
    for lease, workers in holders.items():
        if len(workers) > 1:
            yield f"21: {lease} was given to {len(workers)} workers"


def versions(scene):
    """22: another version is served, or refused by name."""
    for told in scene.history.of("skew"):
        if not told["served"] and told["named"] not in told["said"]:
            yield (f"22: {told['program']} was refused without "
                   f"{told['named']}: {told['said'][:100]}")


# What a run is, as opposed to how far it has come.
FIXED = ("attempt", "assignment", "assignment_version", "kind", "commit_id",
         "plan_digest", "trace_id", "seed", "push", "submission", "queue_time")


def fixed(scene):
    """23: what a run was made of is kept, and nothing edits what has ended."""
    known = scene.memory.setdefault("fixed", {})
    for run, row in scene.runs.items():
        if not (row["commit_id"] and row["plan_digest"] and row["trace_id"]):
            yield f"23: {run} does not say what it was made of"
        elif plan_of(scene, row) is None:
            yield f"23: the plan of {run} is gone"
        ended = row["state"] in (FINISHED, SUPERSEDED)
        now = (tuple(row[name] for name in FIXED),
               repr(sorted((key, bytes(row[key]) if key == "score" and row[key]
                            else row[key]) for key in row.keys()))
               if ended else None)
        before = known.get(run)
        if before and (before[0] != now[0] or before[1] not in (None, now[1])):
            yield f"23: {run} was edited"
        else:
            known[run] = now
    for run in known:
        if run not in scene.runs:
            yield f"23: {run} is gone"
    for run, events in scene.events.items():
        if any(content == b"changed" for _, _, content, _ in events):
            yield f"23: an event of {run} was edited"


def drains(scene):
    """24: what a draining worker held has ended, or is another's, unblamed."""
    for told in scene.history.of("drained"):
        row = scene.runs[told["run"]]
        if row["state"] == RUNNING and row["epoch"] == told["epoch"]:
            yield f"24: {told['worker']} left with the lease of {told['run']}"
        if row["losses"] > told["losses"]:
            yield f"24: {told['run']} counts a loss for a drain"
    drained = {told["worker"]: told["time"] for told in scene.history.of("drained")}
    for told in scene.history.of("leased"):
        if told["time"] > drained.get(told["worker"], float("inf")) + 0.25:
            yield f"24: {told['worker']} was given {told['run']} while it drained"


def plan_of(scene, row):
    """The run's plan from the blobs, or None."""
    plans, digest = scene.memory.setdefault("plans", {}), row["plan_digest"]
    if digest not in plans:
        found = scene.store.blob(digest)
        if found is None or hashlib.sha256(found).hexdigest() != digest:
            return None
        plans[digest] = plan_pb2.Plan.FromString(found)
    return plans[digest]


CHECKS = (verdicts, fencing, once, repeats, deserved, silence, order, logs,
          readers, evidence, slow_readers, spans, authority, versions, fixed,
          drains)


def run_problems(store, history, memory):
    """The broken invariants, as sentences. `memory` is kept from one call to
    the next: what was seen once must not change."""
    scene = Scene(store, history, memory)
    for check in CHECKS:
        yield from check(scene)
