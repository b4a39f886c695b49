#!/usr/bin/env python3
"""Mail through a real server: links and reminders over TLS with a login, a
lost link that its owner has sent again, and passwords that go to nobody else."""

import email
import email.policy
import json
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from installation import PATIENCE, Installation

SERVER = pathlib.Path(__file__).with_name("mail_server.py")


class MailTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A certificate for "localhost", signed by itself."""
        cls.folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory()))
        cls.certificate = cls.folder / "both.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", cls.folder / "key.pem", "-out", cls.folder / "cert.pem"],
            check=True, capture_output=True)
        cls.certificate.write_text((cls.folder / "key.pem").read_text() +
                                   (cls.folder / "cert.pem").read_text())

    def serve(self, *arguments, password="correct horse", trusts=True,
              **settings):
        """A mail server, and an installation that uses it."""
        self.mail = subprocess.Popen(
            ["/usr/bin/python3", "-B", SERVER, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.mail.stdout.close)
        self.addCleanup(self.mail.wait)
        self.addCleanup(self.mail.kill)
        port = self.mail.stdout.readline().strip()
        options = ["--smtp", f"smtp://localhost:{port}", "--smtp-user", "assay",
                   "--mail-from", "assay@example.org"]
        if trusts:
            options += ["--smtp-ca", str(self.folder / "cert.pem")]
        self.assay = Installation(worker=False, options=options, variables={
            "ASSAY_SMTP_PASSWORD": password})
        self.addCleanup(self.assay.close)
        self.assay.assignment("tiny", **settings)

    def invite(self):
        return self.assay.json("invite", "tiny", "--name", "Ada", "--email",
                               "ada@example.org")["link"]

    def next(self, event):
        told = json.loads(self.mail.stdout.readline())
        self.assertEqual(told["event"], event, told)
        return told

    def next_mail(self):
        login = self.next("login")
        self.assertEqual((login["fine"], login["tls"]), (True, True))
        mail = self.next("mail")
        self.assertTrue(mail["tls"])
        mail["parsed"] = email.message_from_string(mail["text"],
                                                   policy=email.policy.default)
        mail["body"] = mail["parsed"].get_content()
        return mail

    def problem(self):
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            [message] = self.assay.json("notification", "list")["notifications"]
            if message.get("problem"):
                return message["problem"]
            time.sleep(0.05)
        self.fail("the message has no problem")

    def test_a_lost_link_is_sent_to_its_owner_and_nobody_learns_who_is_known(self):
        self.serve(self.certificate)
        first = self.invite()
        mail = self.next_mail()
        self.assertEqual(mail["to"], ["ada@example.org"])
        self.assertEqual(mail["parsed"]["subject"], "Your invitation: Tiny")
        self.assertIn(first, mail["body"])

        web = "http://" + self.assay.web
        unknown = self.assay.run("invitation", "request", "eve@example.org",
                                 "--server", web, token="")
        known = self.assay.run("invitation", "request", "ADA@example.org",
                               "--server", web, token="")
        again = self.assay.run("invitation", "request", "ada@example.org",
                               "--server", web, token="")
        self.assertEqual(unknown.stdout, known.stdout)
        self.assertEqual(again.stdout, known.stdout)
        # One for three requests: not for a stranger, and not twice at once.
        second = re.search(r"http\S+#\w+", self.next_mail()["body"])[0]
        self.assertNotEqual(first, second)
        attempts = {self.assay.json("accept", link, token="")["attempt"]["name"]
                    for link in (first, second)}
        self.assertEqual(len(attempts), 1)
        self.assertEqual(
            len(self.assay.json("notification", "list")["notifications"]), 2)
        self.assertNotIn("correct horse", self.assay.logs())

    def test_a_reminder_comes_before_the_deadline(self):
        self.serve(self.certificate, duration="65s", reminders="[60s]")
        link = self.invite()
        self.next_mail()
        token = self.assay.json("accept", link, token="")["token"]
        self.assay.run("attempt", "start", "--yes", token=token)
        mail = self.next_mail()
        self.assertEqual(mail["parsed"]["subject"], "1 min left: Tiny")
        self.assertIn("your last push to main is handed in", mail["body"])

    def test_a_password_is_not_sent_where_tls_is_hidden(self):
        self.serve()
        self.invite()
        self.assertIn("SSL", self.problem())
        self.mail.kill()
        self.assertEqual(self.mail.stdout.read(), "")

    def test_a_password_is_not_sent_to_a_server_that_nobody_vouches_for(self):
        self.serve(self.certificate, trusts=False)
        self.invite()
        self.assertIn("certificate", self.problem())
        self.mail.kill()
        self.assertEqual(self.mail.stdout.read(), "")

    def test_a_wrong_password_is_named_and_not_shown(self):
        self.serve(self.certificate, password="wrong horse")
        self.invite()
        self.assertIn("Login denied", self.problem())
        self.assertFalse(self.next("login")["fine"])
        self.assertNotIn("wrong horse", self.assay.logs())


if __name__ == "__main__":
    unittest.main()
