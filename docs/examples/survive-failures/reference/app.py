"""The orders service."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

import orders
import payments


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, {})
        if self.path == "/orders":
            return self.guarded(lambda: (200, orders.every()))
        return self.answer(404, {"error": "no such thing"})

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        if self.path != "/orders":
            return self.answer(404, {"error": "no such thing"})
        try:
            wanted = json.loads(body)
            sku, qty, card = wanted["sku"], int(wanted["qty"]), wanted["card"]
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "expected sku, qty and card"})
        return self.guarded(lambda: (201, orders.create(sku, qty, card)))

    def guarded(self, act):
        try:
            status, value = act()
        except payments.NotCharged:
            status, value = 504, {"error": "the payment provider did not answer"}
        except psycopg2.Error:
            status, value = 503, {"error": "the database cannot be reached"}
        self.answer(status, value)

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *values):
        print(self.command, self.path, *values[1:2], file=sys.stderr, flush=True)


class Server(ThreadingHTTPServer):
    request_queue_size = 128


if __name__ == "__main__":
    Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
