#!/usr/bin/python3
"""Two coordinators over one PostgreSQL, with workers that know both: either is
killed, or stopped for longer than a lease lives and let go on, while candidates
push to both and watchers follow runs at the other one. Nothing acknowledged is
lost and no invariant breaks."""

import itertools
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from checker import problems_of
from fake_worker import FakeWorker, finished, log
from fleet import ANSWERS, RUN_SUITE, Postgres, answer, wait_for
from nodes import Nodes
from run_checker import run_problems
from run_history import RunHistory
from server import BIN, ENVIRONMENT, Lost, Refused, Server
from messages import attempt_service_pb2
from watcher import WATCH, Watcher, grpc, run_service_pb2

LEASE = 10
# A lease that runs out, the sweep behind it, and the run itself.
DRAIN = 90


class NodesTest(unittest.TestCase):
    def setUp(self):
        self.nodes = Nodes()
        self.addCleanup(self.nodes.close)
        self.a, self.b = self.nodes.servers["a"], self.nodes.servers["b"]
        self.history, self.memory, self.seen = RunHistory(), {}, {}
        self.a.assignment("task", suite=RUN_SUITE)

    def rows(self, query, *values):
        store = self.nodes.store()
        try:
            return store.rows(query, *values)
        finally:
            store.close()

    def problems(self):
        store = self.nodes.store(self.seen)
        try:
            return [*problems_of(store, self.history),
                    *run_problems(store, self.history, self.memory)]
        finally:
            store.close()

    def judge(self):
        wait_for(lambda: not self.rows("SELECT 1 FROM runs WHERE state IN (1, 2)"),
                 DRAIN, "every run ends")
        give_up = time.monotonic() + 15
        while (problems := self.problems()) and time.monotonic() < give_up:
            time.sleep(0.2)
        self.assertEqual(problems, [])

    def candidate(self):
        candidate = self.a.candidate("task")
        candidate.start()
        return candidate.clone()

    def push(self, candidate, server, kind="whole"):
        """To one of them; what it said."""
        candidate.server = server
        commit = candidate.commit(f"{kind} {time.monotonic()}",
                                  files=answer(kind))
        self.history.note("expected", commit=commit, answer=kind)
        said, more = candidate.push()
        self.history.pushes.append((candidate.attempt, commit, said, more))
        return said, commit

    def home(self, candidate):
        name = candidate.path.rsplit("/", 1)[1].removesuffix(".git")
        [row] = self.rows("SELECT home FROM repositories WHERE id = ?", name)
        return row["home"]

    def run_of(self, commit):
        return wait_for(
            lambda: self.rows("SELECT * FROM runs WHERE commit_id = ?", commit),
            10, "the push has a run")[0]

    def load(self, seconds, servers):
        """Pushes of three candidates to these in turn, for so long."""
        stop = time.monotonic() + seconds
        kinds = itertools.cycle(ANSWERS)

        def work(candidate):
            turn = itertools.cycle(servers)
            while time.monotonic() < stop:
                try:
                    self.push(candidate, next(turn), next(kinds))
                except (Lost, Refused, subprocess.TimeoutExpired):
                    pass
                time.sleep(0.1)
        threads = [threading.Thread(target=work, args=(self.candidate(),))
                   for _ in range(3)]
        for thread in threads:
            thread.start()
        return threads

    def node_tokens(self):
        """Whose they are: each start makes one, and ends the one before."""
        return sorted(row["label"] for row in self.rows(
            "SELECT label FROM tokens WHERE role = 7"))

    def workers_at(self, server):
        found = server.call("NodeService/ListNodes", {}, server.admin)
        [node] = [n for n in found["nodes"] if n.get("self")]
        return len(node.get("load", {}).get("workers", []))

    def acknowledged(self):
        return sum(said == "ok" for _, _, said, _ in self.history.pushes)

    def test_a_repository_is_read_anywhere_and_moves_to_where_pushes_arrive(self):
        candidate = self.candidate()
        self.assertEqual(self.home(candidate), "a")
        said, first = self.push(candidate, self.a)
        self.assertEqual(said, "ok")
        # Read at the other node, without moving.
        candidate.server = self.b
        listed = candidate.run("ls-remote", candidate.url(), "refs/heads/main")
        self.assertIn(first, listed.stdout)
        self.assertEqual(self.home(candidate), "a")
        said, second = self.push(candidate, self.b)
        self.assertEqual(said, "ok")
        self.assertEqual(self.home(candidate), "b")
        candidate.server = self.a
        listed = candidate.run("ls-remote", candidate.url(), "refs/heads/main")
        self.assertIn(second, listed.stdout)
        made = candidate.submit()
        self.history.submitted.append(
            (candidate.attempt, int(made["name"].rsplit("/", 1)[1]),
             made["commit"]))
        self.judge()

    def test_a_watcher_elsewhere_sees_a_run_as_it_goes(self):
        candidate = self.candidate()
        said, commit = self.push(candidate, self.a)
        self.assertEqual(said, "ok")
        run = self.run_of(commit)["id"]
        watchers = [Watcher(server, self.history, server.web)
                    for server in (self.a, self.b)]
        threads = [threading.Thread(
            target=watcher.follow, args=("runs/" + run, lambda: False))
            for watcher in watchers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.judge()
        seen = [told["seen"] for told in self.history.of("watched")]
        self.assertEqual(len(seen), 2)
        self.assertEqual(seen[0], seen[1])

    def test_one_is_killed_and_the_other_goes_on(self):
        for victim, other in ((self.a, self.b), (self.b, self.a)):
            before = self.acknowledged()
            threads = self.load(8, (victim, other))
            wait_for(lambda: self.acknowledged() > before + 2, 8, "pushes")
            victim.kill()
            for thread in threads:
                thread.join()
            self.assertGreater(self.acknowledged(), before + 3)
            wait_for(lambda: other.call("SystemService/GetSystem", {},
                                        other.admin), 5, "the other serves")
            # Everything can be had without it.
            candidate = other.candidate("task")
            candidate.start()
            candidate.clone()
            self.assertEqual(self.push(candidate, other)[0], "ok")
            began = time.monotonic()
            victim.start()
            self.history.note("recovered", what="assayd",
                              seconds=time.monotonic() - began)
        self.judge()
        self.assertEqual(self.node_tokens(), ["nodes/a", "nodes/b"])
        self.assertEqual(
            self.rows("SELECT COUNT(*) AS n FROM tokens WHERE role = 1")[0]["n"], 1)

    def test_a_drained_node_sends_its_workers_and_their_runs_to_the_other(self):
        wait_for(lambda: self.workers_at(self.a) == 1 and
                 self.workers_at(self.b) == 1, 10, "a worker is at each")
        threads = self.load(6, (self.a, self.b))
        wait_for(lambda: self.acknowledged() > 2, 6, "pushes")
        self.a.call("NodeService/DrainNode", {"name": "nodes/a"}, self.a.admin)
        wait_for(lambda: self.workers_at(self.a) == 0 and
                 self.workers_at(self.b) == 2, 10, "both are at the other")
        for thread in threads:
            thread.join()
        self.judge()
        # Nobody waited for a lease's end, and nothing ran twice.
        self.assertEqual(self.rows("SELECT id FROM runs WHERE losses > 0"), [])

    def test_one_is_stopped_for_longer_than_a_lease_and_goes_on(self):
        threads = self.load(LEASE + 8, (self.a, self.b))
        wait_for(lambda: self.acknowledged() > 2, 10, "pushes")
        self.a.process.send_signal(signal.SIGSTOP)
        time.sleep(LEASE + 4)
        self.a.process.send_signal(signal.SIGCONT)
        for thread in threads:
            thread.join()
        self.judge()
        self.assertEqual(
            self.rows("SELECT COUNT(*) AS n FROM nodes")[0]["n"], 2)

    def test_a_push_that_another_node_takes_over_is_told_what_became_of_it(self):
        candidate = self.candidate()
        self.a.kill()
        self.a.reap()
        self.a.start("push.kept:1:stop")
        told = queue.Queue()
        threading.Thread(
            target=lambda: told.put(self.push(candidate, self.a))).start()
        os.waitid(os.P_PID, self.a.process.pid, os.WSTOPPED | os.WNOWAIT)
        # Behind it in the candidate's repository, and so in the other's.
        wait_for(lambda: self.push(candidate, self.b)[0] == "ok", 30,
                 "the other node has the repository")
        self.a.process.send_signal(signal.SIGCONT)
        said, commit = told.get(timeout=20)
        self.assertEqual(said, "ok")
        self.assertEqual(
            self.rows("SELECT COUNT(*) AS n FROM pushes WHERE new_commit = ?",
                      commit)[0]["n"], 1)
        self.judge()

    def test_a_forgotten_node_leaves_and_its_repositories_are_elsewhere(self):
        candidate = self.candidate()
        self.assertEqual(self.push(candidate, self.a)[0], "ok")
        self.a.process.send_signal(signal.SIGSTOP)
        with self.assertRaises(Refused) as refused:
            self.b.call("NodeService/ForgetNode", {"name": "nodes/a"}, self.b.admin)
        self.assertIn("alive", str(refused.exception))
        wait_for(lambda: self.b.call("NodeService/ListNodes", {}, self.b.admin)
                 ["nodes"][0]["state"] in ("STATE_SILENT", "STATE_LOST"), 20,
                 "its silence is seen")
        self.b.call("NodeService/ForgetNode", {"name": "nodes/a"}, self.b.admin)
        self.assertEqual(self.node_tokens(), ["nodes/b"])
        wait_for(lambda: self.home(candidate) == "b", 20, "it moves")
        self.a.process.send_signal(signal.SIGCONT)
        self.assertTrue(self.a.wait_dead(20))
        self.assertIn("was forgotten", self.a.tail())
        self.a.reap()
        self.assertEqual(self.push(candidate, self.b)[0], "ok")
        self.judge()

    def test_what_the_last_bundle_of_a_lost_node_lacks_is_named(self):
        candidate = self.candidate()
        said, kept = self.push(candidate, self.a)
        self.assertEqual(said, "ok")
        # No bundle can be written from now on.
        blobs, aside = self.nodes.blobs, self.nodes.blobs.with_name("aside")
        blobs.rename(aside)
        blobs.write_text("")
        said, missing = self.push(candidate, self.a)
        self.a.kill()
        blobs.unlink()
        aside.rename(blobs)
        self.assertEqual(said, "ok")
        # Not before: it may come back with what is missing.
        wait_for(lambda: self.push(candidate, self.b)[0] == "ok", 30,
                 "it is lost, and the repository is elsewhere")
        self.assertEqual(self.home(candidate), "b")
        [record] = self.rows("SELECT detail FROM audit_log WHERE action = "
                             "'repository.restored'")
        self.assertIn(missing[:12], record["detail"])
        self.assertNotIn(kept[:12], record["detail"])
        log = (self.b.root / "assayd.log").read_text(errors="replace")
        self.assertIn("was lost with node a", log)


class TlsTest(unittest.TestCase):
    """Nodes that speak TLS to each other and to workers."""

    def start(self, **more):
        self.nodes = Nodes(workers=0, tls=True, **more)
        self.addCleanup(self.nodes.close)
        self.a, self.b = self.nodes.servers["a"], self.nodes.servers["b"]
        self.a.assignment("task", suite=RUN_SUITE)
        self.candidate = self.a.candidate("task")
        self.candidate.start()
        self.candidate.clone()

    def push(self, server):
        """The run that it makes."""
        self.candidate.server = server
        commit = self.candidate.commit(str(time.monotonic()),
                                       files=answer("whole"))
        said, more = self.candidate.push()
        self.assertEqual(said, "ok", more)
        store = self.nodes.store()
        try:
            return store.rows("SELECT id FROM runs WHERE commit_id = ?",
                              commit)[0]["id"]
        finally:
            store.close()

    def watch(self, server, run):
        """What arrives of its log there, line by line."""
        channel = grpc.insecure_channel(server.local)
        self.addCleanup(channel.close)
        call = Watcher(server, None, "").stub(channel)(
            run_service_pb2.WatchRunRequest(name="runs/" + run, after_sequence=-1),
            metadata=[("authorization", "Bearer " + server.admin)])
        arrived = queue.Queue()

        def read():
            try:
                for response in call:
                    if response.event.HasField("log"):
                        arrived.put(response.event.log.content.decode())
            except grpc.RpcError:
                pass
        threading.Thread(target=read, daemon=True).start()
        return arrived

    def follow_elsewhere(self, lines):
        """Seconds for so many lines of a run at b, each sent when the one
        before has arrived at a."""
        run = self.push(self.b)
        worker = FakeWorker(self.b, RunHistory(), "idle", address=self.b.local)
        worker.attach().hear("welcome")
        self.addCleanup(worker.leave)
        worker.demand()
        lease = worker.hear("lease", run=run)
        arrived = self.watch(self.a, run)

        def say(number):
            text = f"{number:03}\n"
            worker.report(lease, number + 1, log(text, offset=4 * number))
            worker.acknowledged(lease)
            self.assertEqual(arrived.get(timeout=20), text)
        say(0)
        began = time.monotonic()
        for number in range(1, lines + 1):
            say(number)
        return time.monotonic() - began

    def test_events_of_runs_come_from_another_node(self):
        self.start()
        # Read from the store once a second, each would be half a second late.
        self.assertLess(self.follow_elsewhere(20), 5)
        self.assertNotIn("sends no events", self.said(self.a))

    def test_a_node_that_trusts_no_other_says_so_and_reads_the_store(self):
        self.start(node_ca=False)
        self.follow_elsewhere(2)
        wait_for(lambda: "sends no events" in self.said(self.a), 20, "it is said")
        self.assertIn("--node-ca", self.said(self.a))
        self.assertEqual(self.said(self.a).count("sends no events"), 1)

    def test_an_enrolled_worker_goes_to_the_next_node_and_is_revoked_there(self):
        self.start()
        token = self.a.call("WorkerService/PermitEnrolment",
                            {"name": "workers/builder-2"}, self.a.admin)["token"]
        both = f"ipv4:{self.a.grpc},{self.b.grpc}"
        said = open(self.b.root / "worker.log", "ab")
        self.addCleanup(said.close)
        worker = subprocess.Popen(
            [BIN / "assay-runner", "--server", both, "--ca",
             self.a.authority, "--enrol", token, "--data-dir",
             self.a.root / "worker"], env=ENVIRONMENT, text=True,
            stdout=subprocess.PIPE, stderr=said)
        self.addCleanup(worker.stdout.close)
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)
        self.assertTrue(worker.stdout.readline())

        def state(server):
            found = server.call("WorkerService/ListWorkers", {}, server.admin)
            return next(w for w in found["workers"]
                        if w["name"] == "workers/builder-2")

        def ends(run):
            def outcome():
                found = self.b.call("RunService/GetRun", {"name": "runs/" + run},
                                    self.b.admin)["run"]
                return found["state"] == "STATE_FINISHED" and (
                    found["outcome"], found.get("outcomeReason", ""))
            self.assertEqual(wait_for(outcome, 60, "the run ends"),
                             ("OUTCOME_COMPLETED", ""))
        ends(self.push(self.b))
        self.a.kill()
        wait_for(lambda: any(
            w.get("name") == "builder-2" for w in self.load(self.b)), 30,
            "the worker is at the other node")
        ends(self.push(self.b))
        self.assertTrue(state(self.b)["attached"])
        self.b.call("WorkerService/RevokeWorker", {"name": "workers/builder-2"},
                    self.b.admin)
        self.assertNotEqual(worker.wait(30), 0)
        self.assertIn("builder-2 was revoked",
                      (self.b.root / "worker.log").read_text())

    @staticmethod
    def said(server):
        return (server.root / "assayd.log").read_text(errors="replace")

    @staticmethod
    def load(server):
        nodes = server.call("NodeService/ListNodes", {}, server.admin)["nodes"]
        own = next(node for node in nodes if node.get("self"))
        return own.get("load", {}).get("workers", [])


class JoinTest(unittest.TestCase):
    def test_a_push_to_a_node_that_has_just_joined_runs_at_the_first_one(self):
        nodes = Nodes(nodes=("a",), workers=0)
        self.addCleanup(nodes.close)
        a = nodes.servers["a"]
        a.assignment("task", suite=RUN_SUITE)
        candidate = a.candidate("task")
        candidate.start()
        candidate.clone()
        candidate.commit("1", files=answer("whole"))
        worker = FakeWorker(a, RunHistory(), "idle").attach()
        self.addCleanup(worker.leave)
        worker.hear("welcome")
        worker.demand()
        # Before the first one's next heartbeat, which sees the other.
        candidate.server = nodes.add("b")
        self.assertEqual(candidate.push()[0], "ok")
        self.assertEqual(worker.hear("lease", 15).epoch, 1)


class FanOutTest(unittest.TestCase):
    """What happens at one node is known at the other one: by notes and streams
    between them, and, where those are lost, by what is looked for every second.
    Each half is tried without the other."""

    def start(self, **how):
        self.nodes = Nodes(workers=0, **how)
        self.addCleanup(self.nodes.close)
        self.a, self.b = self.nodes.servers["a"], self.nodes.servers["b"]
        self.a.assignment("task", suite=RUN_SUITE)
        self.candidate = self.a.candidate("task")
        self.candidate.start()
        self.candidate.clone()
        self.worker = FakeWorker(self.b, RunHistory(), "idle").attach()
        self.addCleanup(self.worker.leave)
        self.worker.hear("welcome")

    def said(self, server):
        return (server.root / "assayd.log").read_text(errors="replace")

    def watch(self, method, request, response):
        """What a stream of a brings."""
        channel = grpc.insecure_channel(self.a.grpc)
        self.addCleanup(channel.close)
        call = channel.unary_stream(
            method, type(request).SerializeToString, response.FromString)(
                request, metadata=[("authorization", "Bearer " + self.a.admin)])
        arrived = queue.Queue()

        def read():
            try:
                for message in call:
                    arrived.put(message)
            except grpc.RpcError:
                pass
        threading.Thread(target=read, daemon=True).start()
        return arrived

    @staticmethod
    def arrives(arrived, wanted, seconds):
        give_up = time.monotonic() + seconds
        while (left := give_up - time.monotonic()) > 0:
            try:
                if wanted(arrived.get(timeout=left)):
                    return True
            except queue.Empty:
                break
        return False

    def await_in(self, arrived, what, wanted, seconds=20):
        if not self.arrives(arrived, wanted, seconds):
            self.fail(f"not within {seconds} s: {what}")

    def push(self):
        """The run that it makes at a."""
        commit = self.candidate.commit(str(time.monotonic()),
                                       files=answer("whole"))
        self.assertEqual(self.candidate.push()[0], "ok")
        store = self.nodes.store()
        try:
            return store.rows("SELECT id FROM runs WHERE commit_id = ?",
                              commit)[0]["id"]
        finally:
            store.close()

    def everything_arrives(self):
        runs = self.watch("/assay.v1.RunService/WatchRuns",
                          run_service_pb2.WatchRunsRequest(),
                          run_service_pb2.WatchRunsResponse)
        attempts = self.watch(
            "/assay.v1.AttemptService/WatchAttempt",
            attempt_service_pb2.WatchAttemptRequest(name=self.candidate.attempt),
            attempt_service_pb2.WatchAttemptResponse)
        for arrived in (runs, attempts):
            self.await_in(arrived, "the first word", lambda message: True)
        # The idle worker of the other node is woken.
        self.worker.demand()
        run = self.push()
        watched = self.watch(
            WATCH, run_service_pb2.WatchRunRequest(name="runs/" + run,
                                                   after_sequence=-1),
            run_service_pb2.WatchRunResponse)
        lease = self.worker.hear("lease", 20, run)
        # Events of a run there, one by one.
        self.await_in(watched, "it runs", lambda message:
                      message.event.state_changed.state == 2)
        numbers = itertools.count()

        def say():
            """A line that it logs."""
            number = next(numbers)
            text = f"{number:03}\n"
            self.worker.report(lease, number + 1, log(text, offset=4 * number))
            self.worker.acknowledged(lease)
            return text

        def brings(text):
            return lambda message: message.event.log.content.decode() == text
        # What comes before the nodes' stream is made is found with what follows.
        wait_for(lambda: self.arrives(watched, brings(say()), 0.3), 20,
                 "a line of its log")
        for _ in range(3):
            self.await_in(watched, "a line of its log", brings(say()))
        self.worker.report(lease, next(numbers) + 1, finished())
        self.await_in(watched, "its end", lambda message:
                      message.event.state_changed.state == 3)
        self.await_in(runs, "the list has its end", lambda message: any(
            each.name == "runs/" + run and each.state == 3
            for each in message.runs))
        # What is no run.
        longer = self.b.call(
            "AttemptService/ExtendAttempt",
            {"name": self.candidate.attempt, "extension": "60s",
             "reason": "a test"}, self.b.admin)["attempt"]["clock"]["deadline"]
        self.await_in(attempts, "more time", lambda message:
                      message.attempt.clock.deadline.ToJsonString() == longer)
        self.a.call("WorkerService/DrainWorker", {"name": "workers/idle"},
                    self.a.admin)
        wait_for(lambda: any(
            worker.get("heldBack") for worker in self.b.call(
                "SystemService/GetSystem", {}, self.b.admin)["workers"]), 20,
            "its node knows that the worker is drained")

    def test_everything_arrives_by_notes_and_streams_alone(self):
        self.start(fault="sweeps.off")
        self.everything_arrives()

    def test_where_notes_are_lost_everything_is_looked_for(self):
        self.start(deaf=True)
        wait_for(lambda: all("notifications do not arrive" in self.said(server)
                             for server in (self.a, self.b)), 20, "it is said")
        self.everything_arrives()
        for relay in self.nodes.relays.values():
            relay.deaf = False
        wait_for(lambda: all("notifications arrive again" in self.said(server)
                             for server in (self.a, self.b)), 20, "it is said")

    def test_what_a_killed_node_kept_to_itself_is_seen_once_it_is_back(self):
        self.start(fault="sweeps.off")
        self.worker.leave()
        self.b.environment = {}
        late = self.b.candidate("task")
        attempts = self.watch(
            "/assay.v1.AttemptService/WatchAttempt",
            attempt_service_pb2.WatchAttemptRequest(name=late.attempt),
            attempt_service_pb2.WatchAttemptResponse)
        runs = self.watch("/assay.v1.RunService/WatchRuns",
                          run_service_pb2.WatchRunsRequest(),
                          run_service_pb2.WatchRunsResponse)

        def dies(point, doing):
            """Of b, in the middle of it; it is back before it is missed."""
            self.b.kill()
            self.b.start(point + ":1")
            try:
                doing()
            except Lost:
                pass
            self.assertTrue(self.b.wait_dead(20))
            self.b.reap()
            self.b.start()
        dies("attempt.started", late.start)
        self.await_in(attempts, "the attempt has started", lambda message:
                      message.attempt.clock.HasField("start_time"))
        self.candidate.server = self.b
        commit = self.candidate.commit("kept", files=answer("whole"))
        dies("push.landed", self.candidate.push)
        self.await_in(runs, "the push's run", lambda message: any(
            run.commit == commit for run in message.runs))


class OffersTest(unittest.TestCase):
    def test_what_workers_of_other_nodes_offer_counts_everywhere(self):
        nodes = Nodes(workers=0)
        self.addCleanup(nodes.close)
        a, b = nodes.servers["a"], nodes.servers["b"]
        a.assignment("task", suite=RUN_SUITE, workerPool="gpu")
        candidate = a.candidate("task")
        candidate.start()
        candidate.clone()
        candidate.commit("1", files=answer("whole"))
        self.assertEqual(candidate.push()[0], "ok")

        def waits_for(server):
            home = server.call("OverviewService/GetHome", {}, server.admin)
            return home["queue"][0].get("waitsFor", "")
        # It asks for no run, and its pool is all that counts here.
        worker = FakeWorker(b, RunHistory(), "gpu")
        worker.pool = "gpu"
        self.assertIn("no worker", waits_for(a))
        worker.attach().hear("welcome")
        self.addCleanup(worker.leave)
        self.assertEqual(waits_for(b), "")
        wait_for(lambda: not waits_for(a), 10, "the other node hears of it")
        a.call("NodeService/DrainNode", {"name": "nodes/b"}, a.admin)
        wait_for(lambda: waits_for(a), 10, "what is drained offers nothing")


class StartTest(unittest.TestCase):
    def test_blobs_elsewhere_are_refused_in_one_line(self):
        nodes = Nodes(nodes=("a",), workers=0)
        self.addCleanup(nodes.close)
        folder = tempfile.mkdtemp(prefix="assay-fault-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)

        def start(*options):
            return subprocess.run(
                [BIN / "assayd", "--data-dir", folder + "/data", "--store",
                 nodes.postgres.dsn, "--listen", "127.0.0.1:0", "--web",
                 "127.0.0.1:0", *options], env=ENVIRONMENT, capture_output=True,
                text=True, timeout=30)
        lone = start("--node", "b")
        self.assertEqual(lone.returncode, 1)
        self.assertIn('node "a" serves this store and keeps its blobs in '
                      "another place", lone.stderr)
        self.assertEqual(len(lone.stderr.splitlines()), 1, lone.stderr)
        taken = start("--node", "b")  # once more: nothing was left
        self.assertEqual(taken.returncode, 1)
        named = subprocess.run(
            [BIN / "assayd", "--data-dir", folder + "/other", "--store",
             nodes.postgres.dsn, "--blobs", str(nodes.blobs), "--node", "a",
             "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0"],
            env=ENVIRONMENT, capture_output=True, text=True, timeout=30)
        self.assertEqual(named.returncode, 1)
        self.assertIn("with another data directory already", named.stderr)


if __name__ == "__main__":
    if Postgres.BIN is None:
        raise SystemExit(77)
    unittest.main(verbosity=2)
