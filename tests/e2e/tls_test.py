#!/usr/bin/env python3
"""TLS on both ports with an authority of our own: the command line and stock
git over it, a new certificate without a restart, and every mistake named."""

import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.request

from certificates import Authority
from installation import BIN, PATIENCE, Installation, environment


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="assay-tls-")))
        cls.authority = Authority(cls.folder / "own")
        cls.other = Authority(cls.folder / "other", "Another authority")
        cls.certificate = cls.folder / "server.pem"
        cls.key = cls.folder / "server.key"
        cls.issue()
        cls.assay = Installation(worker=False, options=[
            "--tls-cert", cls.certificate, "--tls-key", cls.key,
            "--local-grpc", "127.0.0.1:0"])
        cls.addClassCleanup(cls.assay.close)
        cls.url = f"https://{cls.assay.web}"
        cls.assay.client = {"ASSAY_SERVER": cls.url,
                            "ASSAY_CA": str(cls.authority.certificate)}

    @classmethod
    def issue(cls, **settings):
        cls.authority.issue(cls.certificate, cls.key, **settings)

    def tearDown(self):
        if getattr(self, "changed", False):
            self.replace()

    def replace(self, authority=None, **settings):
        """Another certificate in the server's place, once it has taken it."""
        before = self.shown()
        self.changed = True
        (authority or self.authority).issue(self.certificate, self.key,
                                            **settings)
        self.await_other_than(before)

    def await_other_than(self, before):
        end = time.monotonic() + PATIENCE
        while self.shown() == before:
            self.assertLess(time.monotonic(), end, self.assay.logs())

    def shown(self, address=None):
        host, port = (address or self.assay.web).rsplit(":", 1)
        return ssl.get_server_certificate((host, int(port)))

    def refusal(self, server, ca=None):
        done = subprocess.run(
            [BIN / "assay", "--data-dir", self.assay.data, "--server", server,
             *(["--ca", ca] if ca else []), "system", "show"],
            env=environment(), capture_output=True, text=True, timeout=PATIENCE)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]

    def test_commands_and_git_work_with_an_authority_of_its_own(self):
        self.assay.assignment("tiny")
        invited = self.assay.json("invite", "tiny", "--name", "Ada")
        self.assertTrue(invited["link"].startswith(self.url + "/"), invited)
        # A candidate has the link, and says the authority once.
        home = self.folder / "home"
        home.mkdir()
        own = environment(HOME=str(home), ASSAY_CANDIDATE_FILE=str(home / "me"))

        def assay(*arguments):
            return subprocess.run([BIN / "assay", *arguments], env=own, text=True,
                                  cwd=home, check=True, capture_output=True)
        assay("accept", invited["link"], "--ca", self.authority.certificate)
        assay("attempt", "start", "--yes")
        assay("attempt", "clone", "me", "work")
        work = home / "work"
        (work / "app.py").write_text("pass\n")
        for command in (["add", "-A"], ["commit", "-qm", "work"],
                        ["fetch", "-q"]):
            subprocess.run(["git", *command], cwd=work, env=own, check=True)
        push = subprocess.Popen(["git", "push", "origin", "HEAD"], cwd=work,
                                env=own, text=True, stderr=subprocess.PIPE)
        # Live lines come over TLS too; there is no worker to wait for.
        line = next(l for l in push.stderr if "remote:" in l)
        self.assertIn("remote:", line)
        push.terminate()
        push.wait()
        push.stderr.close()
        self.assertEqual(len(self.assay.json(
            "attempt", "list", "tiny")["attempts"]), 1)

    def test_browsers_are_told_to_come_back_by_tls_alone(self):
        trust = ssl.create_default_context(cafile=self.authority.certificate)
        with urllib.request.urlopen(self.url + "/healthz",
                                    context=trust) as answer:
            self.assertIn("max-age=", answer.headers["Strict-Transport-Security"])

    def test_old_versions_of_tls_are_refused(self):
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        for address in (self.assay.web, self.assay.grpc):
            host, port = address.split(":")
            with socket.create_connection((host, int(port))) as plain:
                with self.assertRaises((ssl.SSLError, ConnectionError)):
                    old.wrap_socket(plain)

    def test_each_mistake_is_named_in_a_line(self):
        ca = self.authority.certificate
        self.assertRegex(self.refusal(self.url),
                         "authority that is not known here: .*--ca FILE")
        self.assertRegex(self.refusal(self.url, self.other.certificate),
                         "authority that is not known here")
        self.assertRegex(self.refusal(self.url, self.key), "--ca holds no")
        self.assertRegex(self.refusal(f"http://{self.assay.web}"),
                         "speaks TLS: write https://")
        local = self.assay.server.address("local")
        self.assertRegex(self.refusal(f"https://{local}", ca),
                         "speaks no TLS: write http://")
        self.assertRegex(self.refusal(self.assay.grpc),
                         "speaks TLS.*--server https://HOST:PORT")
        self.replace(days=-1)
        self.assertRegex(self.refusal(self.url, ca), "has expired: .*renew")
        self.replace(names="DNS:elsewhere.example")
        self.assertRegex(self.refusal(self.url, ca), "is for other names")

    def test_plain_text_is_answered_in_plain_text(self):
        with socket.create_connection(self.assay.web.split(":")) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while more := client.recv(4096):
                answer += more
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertIn(b"this port speaks TLS", answer)

    def test_both_ports_take_a_new_certificate_without_a_restart(self):
        before = self.shown(), self.shown(self.assay.grpc)
        self.assertEqual(*before)
        self.replace()
        self.assertEqual(self.shown(self.assay.grpc), self.shown())
        self.assay.run("system", "show")

    def test_half_of_a_new_certificate_changes_nothing(self):
        before = self.shown()
        good = self.certificate.read_bytes()
        self.addCleanup(self.certificate.write_bytes, good)
        self.certificate.write_text("not a certificate\n")
        log = self.assay.root / "assayd.log"
        end = time.monotonic() + PATIENCE
        while "stays as it was" not in log.read_text():
            self.assertLess(time.monotonic(), end)
        self.assertEqual(self.shown(), before)
        # Also where it is asked for.
        self.assay.server.process.send_signal(signal.SIGHUP)
        while log.read_text().count("stays as it was") < 2:
            self.assertLess(time.monotonic(), end)
        self.assertEqual(self.shown(), before)

    def start_refused(self, *options, grpc="127.0.0.1:0", web="127.0.0.1:0"):
        done = subprocess.run(
            [BIN / "assayd", "--data-dir", self.folder / "unused",
             "--grpc-address", grpc, "--web-address", web,
             *map(str, options)],
            env=environment(), capture_output=True, text=True, timeout=PATIENCE)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done.stderr

    def test_what_cannot_be_meant_is_refused_at_the_start(self):
        for open_port in ("grpc", "web"):
            self.assertRegex(self.start_refused(**{open_port: "0.0.0.0:0"}),
                             "plain text: give --tls-cert .* or --insecure")
        self.assertRegex(self.start_refused("--tls-cert", self.certificate),
                         "--tls-key is missing")
        self.assertRegex(
            self.start_refused("--tls-cert", self.certificate, "--tls-key",
                               self.authority.folder / "ca.key"),
            "holds no key .* of the certificate")
        self.assertRegex(
            self.start_refused("--tls-cert", self.folder / "gone", "--tls-key",
                               self.key), "gone cannot be read")
        self.assertRegex(
            self.start_refused("--tls-cert", self.certificate, "--tls-key",
                               self.key, "--public-url", "http://a.example"),
            "write https://")

    def test_insecure_says_that_no_tls_is_meant(self):
        assay = Installation(worker=False, options=["--insecure"],
                             addresses=("0.0.0.0:0", "0.0.0.0:0"))
        self.addCleanup(assay.close)
        assay.run("system", "show")

    def test_up_serves_the_network_by_tls_and_this_machine_without(self):
        data = self.folder / "up"
        up = subprocess.Popen(
            [BIN / "assay", "up", "--data-dir", data, "--json", "--no-worker",
             "--host", "0.0.0.0", "--grpc-port", "0", "--web-port", "0",
             "--tls-cert", self.certificate, "--tls-key", self.key],
            env=environment(), stdout=subprocess.PIPE, text=True)
        self.addCleanup(up.stdout.close)
        self.addCleanup(up.wait)
        self.addCleanup(up.terminate)
        self.assertRegex(up.stdout.readline(), "https://0.0.0.0:")
        subprocess.run([BIN / "assay", "--data-dir", data, "system", "show"],
                       env=environment(), check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    unittest.main()
