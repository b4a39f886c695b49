"""HTTP: who asks, for what, and how answers look."""

import http.server
import json
import os
import pathlib
import sys
import urllib.parse

import accounts
import notes

ATTACHMENTS = pathlib.Path(__file__).parent / "attachments"
MAX_BODY_BYTES = 64 * 1024


class Refused(Exception):
    def __init__(self, status, title):
        super().__init__(title)
        self.status = status


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.handle_request()

    do_POST = do_PATCH = do_GET

    def handle_request(self):
        try:
            status, value = self.route()
        except Refused as refused:
            status, value = refused.status, {"title": str(refused)}
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def route(self):
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in url.path.split("/")[1:]]
        match self.command, *parts:
            case "GET", "healthz":
                return 200, {"status": "up"}
            case "POST", "users":
                return self.register()
            case "POST", "sessions":
                return self.sign_in()
            case "GET", "attachments", name:
                return self.attachment(name)
            case "GET", "admin", "users":
                return self.users()
        owner, _ = self.user()
        match self.command, *parts:
            case "POST", "notes":
                return 201, notes.create(owner, self.text())
            case "GET", "notes":
                query = urllib.parse.parse_qs(url.query)
                return 200, {"notes": notes.search(owner, query.get("q", [""])[0])}
            case "GET", "notes", note:
                return found(notes.get(owner, note))
            case "PATCH", "notes", note:
                return found(notes.change(owner, note, self.text()))
        raise Refused(404, "There is no such thing")

    def register(self):
        body = self.body()
        name, password = credentials(body)
        try:
            return 201, accounts.register(name, password, body)
        except accounts.Taken:
            raise Refused(409, "This name is taken") from None

    def sign_in(self):
        body = self.body()
        print("sign-in", body, file=sys.stderr, flush=True)
        token = accounts.sign_in(*credentials(body))
        if token is None:
            raise Refused(401, "Name or password is wrong")
        return 200, {"token": token}

    def attachment(self, name):
        file = ATTACHMENTS / name
        if not file.is_file():
            raise Refused(404, "There is no such attachment")
        return 200, file.read_bytes()

    def users(self):
        _, role = self.user()
        if role != "admin":
            raise Refused(403, "For administrators only")
        return 200, {"users": accounts.all_names()}

    def user(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        user = accounts.user_of(token) if scheme.lower() == "bearer" else None
        if user is None:
            raise Refused(401, "A valid token is needed")
        return user

    def text(self):
        text = self.body().get("text")
        if not isinstance(text, str) or not text:
            raise Refused(422, "text must be a text")
        return text

    def body(self):
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise Refused(413, "The body is too large")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            raise Refused(422, "The body is not JSON") from None
        return body if isinstance(body, dict) else {}

    def log_message(self, format, *args):
        print(format % args, file=sys.stderr, flush=True)


def credentials(body):
    name, password = body.get("name"), body.get("password")
    if not isinstance(name, str) or not isinstance(password, str) or len(password) < 8:
        raise Refused(422, "A name and a password of 8 characters are needed")
    return name, password


def found(note):
    if note is None:
        raise Refused(404, "There is no such note")
    return 200, note


if __name__ == "__main__":
    address = ("127.0.0.1", int(os.environ["PORT"]))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
