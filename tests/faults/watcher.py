"""Readers of runs over gRPC, as programs of other people are: they resume where
they were after any break, and say what they saw."""

import hashlib
import os
import threading
import time

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
import grpc  # noqa: E402

from messages import run_service_pb2  # noqa: E402

WATCH = "/assay.v1.RunService/WatchRun"
GET = "/assay.v1.RunService/GetRun"
OVER = (3, 4)


def channel_to(server, **more):
    if server.authority is None:
        return grpc.insecure_channel(server.grpc, **more)
    return grpc.secure_channel(
        server.grpc, grpc.ssl_channel_credentials(server.authority.read_bytes()),
        **more)


class Watcher:
    """Follows one run from its first event to its last."""

    def __init__(self, server, history, name, pause=0.0):
        self.server, self.history, self.name = server, history, name
        self.pause = pause

    def stub(self, channel):
        return channel.unary_stream(
            WATCH, run_service_pb2.WatchRunRequest.SerializeToString,
            run_service_pb2.WatchRunResponse.FromString)

    def credentials(self):
        return [("authorization", "Bearer " + self.server.admin)]

    def follow(self, run, stopped, leave_after=None):
        """Until the run is over or `stopped`; `leave_after`: breaks off after
        so many events, again and again."""
        seen, over = [], False
        while not over and not stopped():
            try:
                with channel_to(self.server) as channel:
                    over = self.read(channel, run, seen, stopped, leave_after)
            except grpc.RpcError:
                time.sleep(0.05)
        self.history.note("watched", run=run.split("/")[1], watcher=self.name,
                          seen=seen, ended=over)
        if over:
            self.told(run)
        return over

    def read(self, channel, run, seen, stopped, leave_after):
        request = run_service_pb2.WatchRunRequest(
            name=run, after_sequence=seen[-1][0] if seen else -1)
        call = self.stub(channel)(request, metadata=self.credentials(), timeout=60)
        count = 0
        for response in call:
            event = response.event
            seen.append((event.sequence, hashlib.sha256(
                event.SerializeToString()).hexdigest()[:16]))
            if event.state_changed.state in OVER:
                return True
            count += 1
            if self.pause:
                time.sleep(self.pause)
            if stopped() or (leave_after and count >= leave_after):
                call.cancel()
                return False
        # The end without a last event: it was seen before the break.
        return bool(seen) and self.state(run) in OVER

    def get(self, run):
        with channel_to(self.server) as channel:
            return channel.unary_unary(
                GET, run_service_pb2.GetRunRequest.SerializeToString,
                run_service_pb2.GetRunResponse.FromString)(
                    run_service_pb2.GetRunRequest(name=run),
                    metadata=self.credentials(), timeout=10).run

    def state(self, run):
        return self.get(run).state

    def told(self, run):
        """What a client is told of a run that is over."""
        try:
            found = self.get(run)
        except grpc.RpcError:
            return
        if found.state == 3:
            self.history.note("verdict", run=run.split("/")[1],
                              outcome=found.outcome, earned=found.score.earned)


class Audience:
    """Some watchers who take up whatever run comes next."""

    def __init__(self, server, history, count):
        self.server, self.history = server, history
        self.lock, self.waiting, self.stopped = threading.Lock(), [], False
        self.threads = [threading.Thread(target=self.loop, args=(i,), daemon=True)
                        for i in range(count)]
        for thread in self.threads:
            thread.start()

    def offer(self, run):
        with self.lock:
            if len(self.waiting) < 4:
                self.waiting.append(run)

    def loop(self, index):
        watcher = Watcher(self.server, self.history, f"watcher-{index}")
        while not self.stopped:
            with self.lock:
                run = self.waiting.pop() if self.waiting else None
            if run is None:
                time.sleep(0.02)
                continue
            watcher.follow(run, lambda: self.stopped,
                           leave_after=7 if index % 2 else None)

    def close(self):
        self.stopped = True
        for thread in self.threads:
            thread.join(70)
