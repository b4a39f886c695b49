"""Between workers and a coordinator: loses, repeats and reorders messages of
the lease service, and cuts streams, by a seed."""

import collections
import concurrent.futures
import os
import queue
import random
import threading

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
import grpc  # noqa: E402

from fake_worker import ATTACH  # noqa: E402
from messages import AttachRequest, AttachResponse  # noqa: E402

# One in so many messages, in each direction.
LOST, TWICE, SWAPPED, CUT = 40, 20, 40, 60


class ReplyProxy(grpc.GenericRpcHandler):
    def __init__(self, target, seed):
        self.target, self.choice = target, random.Random(seed)
        self.lock, self.counts = threading.Lock(), collections.Counter()
        self.quiet = False
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(32))
        self.server.add_generic_rpc_handlers((self,))
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def service(self, details):
        if details.method != ATTACH:
            return None
        return grpc.stream_stream_rpc_method_handler(self.attach)

    def fate(self, message, kind):
        """What becomes of a message. A hello opens a stream: without it there
        is none to lose anything of."""
        with self.lock:
            self.counts["messages"] += 1
            if self.quiet or kind in ("hello", "welcome"):
                return "passed"
            for what, one_in in (("lost", LOST), ("twice", TWICE),
                                 ("swapped", SWAPPED), ("cut", CUT)):
                if self.choice.randrange(one_in) == 0:
                    self.counts[what] += 1
                    return what
        return "passed"

    def pass_on(self, messages, type_of, end):
        """`messages` as they come out on the other side."""
        held = None
        for message in messages:
            kind = type_of.FromString(message).WhichOneof("message")
            fate = self.fate(message, kind)
            if fate == "cut":
                end()
                return
            if fate == "swapped" and held is None:
                held = message
                continue
            if fate != "lost":
                yield message
            if fate == "twice":
                yield message
            if held is not None:
                yield held
                held = None
        if held is not None:
            yield held

    def attach(self, requests, context):
        with grpc.insecure_channel(self.target, options=[
                ("grpc.use_local_subchannel_pool", 1)]) as channel:
            outbox = queue.Queue()

            def pump():
                try:
                    for message in self.pass_on(requests, AttachRequest,
                                                lambda: call.cancel()):
                        outbox.put(message)
                except grpc.RpcError:
                    pass
                outbox.put(None)

            call = channel.stream_stream(ATTACH)(
                iter(outbox.get, None), metadata=[
                    item for item in context.invocation_metadata()
                    if item[0] == "authorization"])
            threading.Thread(target=pump, daemon=True).start()
            try:
                yield from self.pass_on(call, AttachResponse, call.cancel)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
            finally:
                outbox.put(None)
                call.cancel()

    def close(self):
        self.server.stop(0).wait()
