#!/usr/bin/env python3
"""assay up: starts everything, says where, and leaves nothing behind."""

import json
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

from installation import BIN, environment


def descendants(pid):
    found = []
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *descendants(int(child))]
    return found


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
    except FileNotFoundError:
        return False
    return state.split()[0] != "Z"


class UpTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="assay-up-")
        self.addCleanup(directory.cleanup)
        self.data = pathlib.Path(directory.name) / "data"

    def up(self, *arguments):
        process = subprocess.Popen(
            [BIN / "assay", "up", "--data-dir", self.data, "--json", *arguments],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start(self, *arguments):
        process = self.up("--grpc-port", "0", "--web-port", "0", *arguments)
        line = process.stdout.readline()
        self.assertTrue(line, process.stderr.read() if not line else "")
        return process, json.loads(line)

    def test_private_egress_is_the_workers_when_it_is_asked_for(self):
        for wanted in (["--allow-private-egress"], []):
            process, _ = self.start(*wanted)
            commands = [pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                        for pid in descendants(process.pid)]
            workers = [c for c in commands if c[0].endswith("/assay-runner")]
            self.assertEqual(len(workers), 1, commands)
            self.assertEqual("--allow-private-egress" in workers[0], bool(wanted))
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=20), 0)

    def test_serves_and_stops_with_everything_it_started(self):
        process, where = self.start()
        listed = subprocess.run(
            [BIN / "assay", "--data-dir", self.data, "system", "show", "--json"],
            env=environment(), capture_output=True, text=True)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual(len(json.loads(listed.stdout)["workers"]), 1)
        self.assertTrue(where["web"].startswith("http://127.0.0.1:"))
        started = descendants(process.pid)
        self.assertGreaterEqual(len(started), 3)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(40), 0)
        self.assertEqual([p for p in started if alive(p)], [])

    def test_reports_a_program_that_died_and_stops_the_others(self):
        process, _ = self.start()
        started = descendants(process.pid)
        server = next(p for p in started if "assayd" in pathlib.Path(
            f"/proc/{p}/cmdline").read_text())
        subprocess.run(["kill", "-KILL", str(server)], check=True)
        self.assertEqual(process.wait(40), 5)
        self.assertIn("assayd was ended by signal 9", process.stderr.read())
        self.assertEqual([p for p in started if alive(p)], [])

    def test_port_that_is_taken_is_named_with_the_way_out(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            process = self.up("--grpc-port", port, "--web-port", "0")
            self.assertEqual(process.wait(40), 2)
            said = process.stderr.read()
            self.assertIn(port, said)
            self.assertIn("--any-port", said)


if __name__ == "__main__":
    unittest.main()
