"""The orders service. So far it only says that it is there."""

import http.server
import os


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        known = self.command == "GET" and self.path == "/healthz"
        self.send_response(200 if known else 501)
        self.send_header("Content-Length", "0")
        # What was not read of this request must not look like the next one.
        self.send_header("Connection", "close")
        self.end_headers()

    do_GET = do_POST = answer


if __name__ == "__main__":
    address = ("127.0.0.1", int(os.environ["PORT"]))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
