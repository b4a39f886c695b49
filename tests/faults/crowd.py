"""Many candidates at once, on a few connections that stay open."""

import http.client
import json
import socket
import threading
import time

THREADS = 16


class Person:
    """A candidate on a connection of their thread's."""

    def __init__(self, token, attempt):
        self.token, self.attempt = token, attempt


class Api:
    """Calls over one connection that stays open."""

    def __init__(self, server):
        self.server = server
        host, port = server.web.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=120)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, method, request, token=None):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        self.connection.request("POST", "/assay.v1." + method,
                                json.dumps(request), headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            raise SystemExit(f"{method}: {answer}")
        return answer

    def accept(self, assignment):
        invited = self.call("InvitationService/CreateInvitation",
                            {"assignment": "assignments/" + assignment,
                             "candidateName": "Ada"}, self.server.admin)
        accepted = self.call("InvitationService/AcceptInvitation",
                             {"secret": invited["secret"]})
        return Person(accepted["token"], accepted["attempt"]["name"])

    def start(self, person):
        return self.call("AttemptService/StartAttempt",
                         {"name": person.attempt}, person.token)

    def git_token(self, person):
        token = self.call("AttemptService/CreateGitToken",
                          {"name": person.attempt}, person.token)
        person.password = token["password"]
        person.path = "/" + token["cloneUrl"].split("/", 3)[3]


def each(server, items, work):
    """work(api, item) for all, on some threads; how long it took."""
    items = iter(list(items))
    lock, failures = threading.Lock(), []

    def loop():
        api = Api(server)
        try:
            while True:
                with lock:
                    item = next(items, None)
                if item is None:
                    return
                work(api, item)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    began = time.monotonic()
    threads = [threading.Thread(target=loop) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.monotonic() - began
