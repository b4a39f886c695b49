"""The orders service: HTTP in, problem details out.

The rules live in accounts.py and orders.py, which know nothing of HTTP.
"""

import http.server
import json
import os
import re
import sys
import uuid

import accounts
import database
import orders
import shipping
import tokens
from problem import Problem

MAX_BODY_BYTES = 64 * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet
    timeout = 60

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        try:
            body = self.read_body()
            status, headers, value = self.route(body)
        except Problem as problem:
            status, headers, value = problem.status, {}, problem.as_json()
        except database.Unavailable:
            problem = Problem(503, "The database does not answer")
            status, headers, value = 503, {"Retry-After": "1"}, problem.as_json()
        except Exception as error:
            # The message may quote input, so the log gets the kind alone.
            print(f"unexpected {type(error).__name__}", file=sys.stderr)
            status, headers = 500, {}
            value = Problem(500, "Something went wrong").as_json()
        self.reply(status, headers, value)

    def route(self, body):
        path = self.path.partition("?")[0]
        if (self.command, path) == ("GET", "/healthz"):
            database.ping()
            return 200, {}, {"status": "ok"}
        if (self.command, path) == ("POST", "/auth/register"):
            return 201, {}, accounts.register(body)
        if (self.command, path) == ("POST", "/auth/login"):
            return 200, {}, accounts.login(body)
        if (self.command, path) == ("POST", "/orders"):
            order = orders.create(self.customer(), body, self.idempotency_key())
            return 201, {"Location": f"/orders/{order['id']}"}, order
        if (self.command, path) == ("GET", "/orders"):
            return 200, {}, {"orders": orders.list_of(self.customer())}
        if self.command == "GET" and path.startswith("/orders/"):
            customer = self.customer()
            order_id = as_uuid(path.removeprefix("/orders/"))
            order = orders.get(customer, order_id) if order_id else None
            if order is None:
                raise Problem(404, "No such order")
            return 200, {}, order
        raise Problem(404, "No such resource")

    def customer(self):
        """The id of the customer whose token the request carries."""
        header = self.headers.get("Authorization", "")
        match = re.fullmatch(r"Bearer +(\S+)", header, re.IGNORECASE)
        customer = tokens.customer_of(match[1]) if match else None
        if customer is None:
            raise Problem(401, "A valid bearer token is needed")
        return customer

    def idempotency_key(self):
        header = self.headers.get("Idempotency-Key")
        if header is None:
            return None
        key = as_uuid(header)
        if key is None:
            raise Problem(422, "Idempotency-Key must be a UUID")
        return key

    def read_body(self):
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise Problem(413, "The body is too large")
        raw = self.rfile.read(int(length))
        if not raw:
            return None
        try:
            return json.loads(raw)
        except ValueError:
            raise Problem(422, "The body is not JSON") from None

    def reply(self, status, headers, value):
        kind = "application/json" if status < 400 else "application/problem+json"
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):
        # Method, path and status; never bodies or headers.
        print(format % args, file=sys.stderr, flush=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # many customers connect at the same moment


def as_uuid(text):
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


if __name__ == "__main__":
    shipping.start()
    Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
