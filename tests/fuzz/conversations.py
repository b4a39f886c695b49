"""Seeds of targets that read bytes rather than text: sound conversations, from
which fuzzing goes astray sooner than from nothing."""

import gzip
import json
import struct


def chunks(*spoken):
    """What both sides of a wire said: a byte that says who and how long, then
    up to 128 bytes."""
    out = b""
    for side, data in spoken:
        for at in range(0, len(data), 128):
            piece = data[at:at + 128]
            out += bytes([(0x80 if side == "client" else 0) | len(piece) - 1])
            out += piece
    return out


def message(kind, body):
    """One of PostgreSQL's messages."""
    return kind + struct.pack("!i", len(body) + 4) + body


def bulk(*words):
    """A command to Redis."""
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def answer(head, body=b"", how=0):
    """An HTTP answer, asked for in a way (bits: HEAD, HTTP/2, encodings,
    digest, events)."""
    return bytes([how]) + head.replace("\n", "\r\n").encode() + body


def frame(kind, flags, stream, body=b""):
    """A frame of HTTP/2."""
    return (struct.pack("!I", len(body))[1:] + bytes([kind, flags]) +
            struct.pack("!I", stream) + body)


def grpc(body):
    return b"\0" + struct.pack("!I", len(body)) + body


def field(number, value):
    """One of a Protobuf message's fields: a number, or bytes."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


# package a; message M { string x = 1; } service B { rpc C(M) returns (M); }
DESCRIPTOR = (
    field(1, b"a.proto") + field(2, b"a") +
    field(4, field(1, b"M") + field(2, field(1, b"x") + field(3, 1) +
                                    field(4, 1) + field(5, 9))) +
    field(6, field(1, b"B") + field(2, field(1, b"C") + field(2, b".a.M") +
                                    field(3, b".a.M"))) + field(12, b"proto3"))
ZIPPED = gzip.compress(b'{"a": 1}')
STARTUP = struct.pack("!ii", 26, 196608) + b"user\0app\0database\0\0"[:18]
READY = message(b"Z", b"I")
ROW = message(b"T", struct.pack("!h", 1) + b"id\0" +
              struct.pack("!ihihih", 0, 0, 23, 4, -1, 0)) + message(
                  b"D", struct.pack("!hi", 1, 1) + b"7")
REPORT = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{
    "traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "GET /",
    "kind": 2, "startTimeUnixNano": "1", "endTimeUnixNano": 2,
    "attributes": [{"key": "a", "value": {"stringValue": "b"}}],
    "events": [{"name": "e"}], "status": {"code": 2}}]}]}]}).encode()
METRICS = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
    {"name": "x", "sum": {"dataPoints": [{
        "asInt": "3", "attributes": [
            {"key": "a", "value": {"stringValue": "b"}}]}]}}]}]}]}).encode()
LOGS = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [
    {"body": {"stringValue": "hello"}, "severityText": "INFO"}]}]}]}).encode()

SEEDS = {
    "http_answer_fuzzer": [
        answer("HTTP/1.1 200 OK\ncontent-length: 2\nset-cookie: a=b\n\nhi"),
        answer("HTTP/1.1 100 Continue\n\nHTTP/1.1 404 No\n"
               "transfer-encoding: chunked\n\n3\nabc\n0\n\n"),
        answer("HTTP/1.1 200 OK\ncontent-encoding: gzip\n"
               f"content-length: {len(ZIPPED)}\n\n", ZIPPED, 4),
        answer("HTTP/1.1 401 No\nwww-authenticate: Digest realm=\"r\", "
               "qop=\"auth\", nonce=\"n\", algorithm=MD5\n"
               "content-length: 0\n\n", b"", 8),
        answer("HTTP/1.1 204 No Content\nlocation: /x\n\n", b"", 1),
        answer("HTTP/1.1 200 OK\ncontent-type: text/event-stream\n\n"
               "event: a\ndata: {}\n\nid: 1\ndata: b\n\n", b"", 16),
        bytes([2]) + frame(4, 0, 0) + frame(4, 1, 0) +
        frame(1, 4, 1, b"\x88") + frame(0, 1, 1, b"hi"),
    ],
    "event_stream_fuzzer": [
        b"event: a\ndata: 1\ndata: 2\n\n: note\nid: 3\nretry: 1\n\r\ndata:x\r\n\r\n",
        b"\xef\xbb\xbfdata\n\ndata: " + b"y" * 300 + b"\n\n",
    ],
    "grpc_answer_fuzzer": [
        grpc(DESCRIPTOR) + grpc(field(1, b"hi")), DESCRIPTOR,
        field(4, field(1, DESCRIPTOR)), field(7, field(1, 5) + field(2, b"no")),
        b"no%20such%20thing%", b"\1" + grpc(ZIPPED)[1:],
    ],
    "fuzz_http_session": [
        chunks(("client", b"GET /a HTTP/1.1\r\nhost: b\r\n\r\n"),
               ("server", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"),
               ("client", b"POST /b HTTP/1.1\r\nhost: b\r\n"
                b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
               ("server", b"HTTP/1.1 100 Continue\r\n\r\n"
                b"HTTP/1.1 201 Made\r\ntransfer-encoding: chunked\r\n\r\n"
                b"1\r\nx\r\n0\r\n\r\n")),
        chunks(("client", b"GET /ws HTTP/1.1\r\nhost: b\r\nconnection: Upgrade"
                b"\r\nupgrade: websocket\r\n\r\n"),
               ("server", b"HTTP/1.1 101 Switching\r\nconnection: Upgrade\r\n"
                b"upgrade: websocket\r\n\r\n\x81\x02hi"),
               ("client", b"\x81\x82\0\0\0\0ok\x88\x82\0\0\0\0\x03\xe8"),
               ("server", b"\x88\x02\x03\xe8")),
        chunks(("client", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)),
               ("server", frame(4, 0, 0) + frame(4, 1, 0)),
               ("client", frame(4, 1, 0) +
                frame(1, 4, 1, b"\x83\x86\x04\x02/a") +
                frame(0, 1, 1, grpc(b"\x08\x01"))),
               ("server", frame(1, 4, 1, b"\x88") +
                frame(0, 0, 1, grpc(b"")) +
                frame(1, 5, 1, b"\0\x0bgrpc-status\x010"))),
    ],
    "fuzz_postgres_session": [
        chunks(("client", struct.pack("!ii", 8, 80877103)), ("server", b"N"),
               ("client", STARTUP),
               ("server", message(b"R", struct.pack("!i", 0)) + READY),
               ("client", message(b"Q", b"select 1; begin\0")),
               ("server", ROW + message(b"C", b"SELECT 1\0") +
                message(b"C", b"BEGIN\0") + message(b"Z", b"T")),
               ("client", message(b"Q", b"copy t from stdin\0")),
               ("server", message(b"G", b"\0\0\0")),
               ("client", message(b"d", b"a\n") + message(b"c", b"")),
               ("server", message(b"C", b"COPY 1\0") + message(b"Z", b"T")),
               ("client", message(b"X", b""))),
        chunks(("client", STARTUP),
               ("server", message(b"R", struct.pack("!i", 0)) + READY),
               ("client", message(b"P", b"s\0select $1\0\0\0") +
                message(b"B", b"\0s\0\0\0" + struct.pack("!hi", 1, 1) +
                        b"7\0\0") + message(b"D", b"P\0") +
                message(b"E", b"\0\0\0\0\0") + message(b"S", b"")),
               ("server", message(b"1", b"") + message(b"2", b"") + ROW +
                message(b"C", b"SELECT 1\0") + READY),
               ("client", message(b"C", b"Ss\0") + message(b"S", b"")),
               ("server", message(b"E", b"SERROR\0C23505\0Mno\0\0") +
                message(b"A", struct.pack("!i", 1) + b"c\0p\0") + READY)),
    ],
    "fuzz_redis_session": [
        chunks(("client", bulk(b"SET", b"a", b"1") + bulk(b"GET", b"a")),
               ("server", b"+OK\r\n$1\r\n1\r\n"), ("client", b"PING\r\n"),
               ("server", b"+PONG\r\n"), ("client", bulk(b"HELLO", b"3")),
               ("server", b"%1\r\n$1\r\na\r\n:1\r\n"),
               ("client", bulk(b"SUBSCRIBE", b"c")),
               ("server", b">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
                b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"),
               ("client", bulk(b"MULTI") + bulk(b"EXEC")),
               ("server", b"-ERR no\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n")),
    ],
    "fuzz_reports": [
        bytes([4]) + REPORT, bytes([12]) + gzip.compress(REPORT),
        bytes([5]) + METRICS, bytes([5]) + LOGS, bytes([6]) + METRICS,
        bytes([6]) + LOGS,
        # ResourceSpans, ScopeSpans, Span.
        b"\0" + b"\x0a\x22\x12\x20\x12\x1e\x0a\x10" + b"\1" * 16 +
        b"\x12\x08" + b"\2" * 8 + b"\x2a\x00",
    ],
    "redis_reply_fuzzer": [
        b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n+a\r\n~1\r\n#f\r\n", b"$-1\r\n",
        b"-ERR no\r\n", b"=5\r\ntxt:a\r\n", b"(123\r\n"],
    "metrics_fuzzer": [
        b'# TYPE a counter\na{b="c",d="e\\"f"} 3 1700000000\na 4.5e1\n'
        b'a{b="x"} NaN\na_total 1\n'],
    "connect_fuzzer": [
        b'{"name": "runs/a", "state": "STATE_FINISHED", "checks": [{"checkId":'
        b' "x", "duration": "1.5s"}], "startTime": "2026-01-01T00:00:00Z"}',
        b"\0\0\0\0\2{}", b"30000"],
    "event_parser_fuzzer": [b"\x08\x12\x06\x08\x01\x10\x02\x18\x03"[:9]],
    "pack_fuzzer": [
        b"\x01100644 a\0100755 b\x00120000 c\x0040000 d\0",
        b"\x01100644 .git\0", b"\x01160000 module\0100644 ../x\0",
        # One blob.
        b"\0\0\0\0\x01\x31x\x9c\xab\0\0\0y\0y"],
}
