#!/usr/bin/env python3
"""A worker on another host: it is enrolled, grades a push over TLS with its own
certificate, renews it, and is sent away when that is revoked."""

import datetime
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from certificates import Authority
from installation import (BIN, PATIENCE, TINY_APP, Installation, Program,
                          environment, lost)
from two_hosts import OtherHost


class TwoHostsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = OtherHost()
        cls.addClassCleanup(cls.host.close)
        cls.folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="assay-hosts-")))
        cls.authority = Authority(cls.folder / "own")
        cls.authority.issue(cls.folder / "cert.pem", cls.folder / "key.pem",
                            names=f"IP:{cls.host.here}")

    def install(self, *options):
        here = self.host.here
        self.assay = Installation(
            worker=False, addresses=(f"{here}:0", f"{here}:0"), options=[
                "--tls-cert", self.folder / "cert.pem", "--tls-key",
                self.folder / "key.pem", "--local-grpc", "127.0.0.1:0",
                *options])
        self.addCleanup(self.assay.close)
        self.assay.client = {
            "ASSAY_SERVER": self.assay.server.address("local"),
            "GIT_SSL_CAINFO": str(self.authority.certificate),
            "ASSAY_CA": str(self.authority.certificate)}

    def token(self, name, *more):
        return self.assay.json("worker", "enrol", name, *more)["token"]

    def command(self, *arguments, folder="worker", ca=None):
        return self.host.command(
            BIN / "assay-runner", "--coordinator", self.assay.grpc, "--ca",
            ca or self.authority.certificate, "--data-dir",
            self.assay.root / folder, *arguments)

    def start(self, *arguments, **more):
        worker = Program(self.assay.root / "runner.log",
                         *self.command(*arguments, **more))
        self.addCleanup(worker.stop)
        return worker

    def refusal(self, *arguments, **more):
        done = subprocess.run(self.command(*arguments, **more),
                              env=environment(), capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr.strip().splitlines()[-1]

    def workers(self):
        return {w["name"].removeprefix("workers/"): w
                for w in self.assay.json("worker", "list").get("workers", [])}

    def identity(self, folder="worker"):
        return self.assay.root / folder / "identity.pem"

    def until(self, what):
        end = time.monotonic() + PATIENCE
        while not what():
            self.assertLess(time.monotonic(), end, self.assay.logs())
            time.sleep(0.02)

    def test_a_worker_of_another_host_grades_until_it_is_revoked(self):
        self.install()
        worker = self.start("--enrol", self.token("builder-2"))
        self.assertEqual(self.identity().stat().st_mode & 0o777, 0o600)
        self.assertIn("certificateExpireTime", self.workers()["builder-2"])

        self.assay.assignment("tiny")
        ada = self.assay.candidate("tiny", start=False)
        self.assay.run("attempt", "start", "--yes", token=ada.token)
        self.assay.run("attempt", "clone", "me", ada.repository,
                       token=ada.token)
        ada.commit({"app.py": TINY_APP})
        self.assertIn("remote:", ada.push())
        self.assertEqual(lost(ada.pushed_run()), [])

        # Its certificate is enough from here on; the token is used up.
        worker.stop()
        again = self.start()
        self.assertTrue(self.workers()["builder-2"]["attached"])
        self.assay.run("worker", "revoke", "builder-2", "--yes")
        self.assertNotEqual(again.process.wait(PATIENCE), 0)
        self.assertIn("builder-2 was revoked",
                      (self.assay.root / "runner.log").read_text())
        self.assertNotIn("attached", self.workers()["builder-2"])
        self.assertIn("builder-2 was revoked", self.refusal())

    def test_each_mistake_of_a_worker_is_named(self):
        self.install()
        token = self.token("builder-2")
        self.assertIn("not known here", self.refusal("--enrol", "enrol_x"))
        other = Authority(self.folder / "other").certificate
        self.assertIn("authority that is not known here",
                      self.refusal("--enrol", token, ca=other))
        self.start("--enrol", token).stop()
        self.assertIn("was used before", self.refusal(
            "--enrol", token, folder="another"))
        self.assertRegex(self.refusal("--name", "else"),
                         "enrolled as builder-2, and --name says else")
        self.assertRegex(self.refusal(folder="nobody"), "--enrol TOKEN")

        # Without TLS, another cannot be called like it.
        done = subprocess.run(
            [BIN / "assay-runner", "--coordinator",
             self.assay.server.address("local"), "--token-file",
             self.assay.data / "worker.token", "--name", "builder-2",
             "--data-dir", self.assay.root / "local"],
            env=environment(), capture_output=True, text=True, timeout=PATIENCE)
        self.assertIn("builder-2 is enrolled", done.stderr)

    def test_certificates_are_renewed_by_themselves(self):
        # So short that it is due at once, and at each heartbeat.
        self.install("--worker-certificate-life", 30)
        worker = self.start("--enrol", self.token("builder-2"))
        first = self.identity().read_text()
        self.until(lambda: self.identity().read_text() != first)
        second = self.identity().read_text()
        self.until(lambda: self.identity().read_text() != second)
        self.assertEqual(self.identity().stat().st_mode & 0o777, 0o600)
        worker.stop()
        self.start()
        self.assertTrue(self.workers()["builder-2"]["attached"])

    def test_an_expired_certificate_says_what_to_do(self):
        self.install("--worker-certificate-life", 1)
        with open(self.assay.root / "runner.log", "ab") as log:
            worker = subprocess.Popen(
                self.command("--enrol", self.token("builder-2")), stderr=log,
                stdout=subprocess.DEVNULL, env=environment())
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)
        # Attached or not by then.
        self.until(self.identity().exists)
        worker.kill()
        worker.wait()
        end = subprocess.run(
            ["openssl", "x509", "-noout", "-enddate", "-in", self.identity()],
            check=True, capture_output=True, text=True).stdout
        expiry = datetime.datetime.strptime(
            re.search("=(.*) GMT", end)[1], "%b %d %H:%M:%S %Y").replace(
                tzinfo=datetime.timezone.utc)
        self.until(lambda: datetime.datetime.now(datetime.timezone.utc) > expiry)
        self.assertRegex(self.refusal(),
                         "has expired: enrol it anew with `assay worker enrol "
                         "builder-2`")


if __name__ == "__main__":
    unittest.main()
