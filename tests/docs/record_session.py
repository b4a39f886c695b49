#!/usr/bin/env python3
"""Records docs/tutorials/candidate-session.md: a candidate from the link to the
receipt, on a real installation with the sample assignment.

    ASSAY_SOURCE_DIR=. ASSAY_BIN_DIR=build/release/bin tests/docs/record_session.py

What differs each time (secrets, ids, times) stays as it was that day, but for
secrets, which are cut short.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
from installation import SAMPLE, SOURCE, Installation, environment  # noqa: E402

HEAD = """\
# A candidate's session, from the link to the receipt

Recorded by `tests/docs/record_session.py` on a machine with nothing but git and `assay`;
the only address that it knows is the link's. Secrets are cut short.

"""


class Session:
    def __init__(self, assay):
        self.home = assay.root / "home"
        self.home.mkdir()
        self.directory = self.home
        self.text = HEAD

    def say(self, prose):
        self.text += prose + "\n\n"

    def run(self, *commands):
        self.text += "```console\n"
        for command in commands:
            self.text += f"$ {command}\n" + self.output(command)
        self.text += "```\n\n"

    def output(self, command):
        path = os.environ["ASSAY_BIN_DIR"] + ":" + os.environ["PATH"]
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.directory, text=True,
            env=environment(HOME=str(self.home), PATH=path,
                            XDG_CONFIG_HOME=str(self.home / ".config")),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=300)
        if done.returncode:
            raise SystemExit(f"{command}: {done.returncode}\n{done.stdout}")
        return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


def cut_secrets(text):
    text = re.sub(r"(invitation#|asy_)([0-9a-z]{6})[0-9a-z]+", r"\1\2…", text)
    return re.sub(r"127\.0\.0\.1:\d+", "assay.example.org", text)


def record(assay):
    assay.assignment("orders-api", folder=SAMPLE, duration="4h")
    link = assay.json("invite", "orders-api", "--name", "Ada L.")["link"]
    session = Session(assay)
    session.run(f"assay accept {shlex.quote(link)}")
    session.say("Before the start: the task, and whether the machine is fit.")
    session.run("assay attempt brief | head -12", "assay attempt check")
    session.say("At a terminal, `start` asks first; `--yes` answers.")
    session.run("assay attempt start --yes", "assay attempt clone me orders")
    session.directory = session.home / "orders"
    session.say("A question, which the author sees without a name.")
    session.run("assay question ask 'May an order have no lines?'")
    asked = assay.json("question", "list", "--assignment", "orders-api")
    assay.run("question", "answer", asked["questions"][0]["name"],
              "No: answer with 422.", "--to-all")
    session.run("assay question list --attempt me")
    session.say("The work itself is not shown.")
    solution = SAMPLE / "solutions/sound"
    subprocess.run(["cp", "-r", f"{solution}/.", session.directory], check=True)
    session.run("git add -A && git commit --quiet -m 'Orders API'",
                "git push origin HEAD")
    session.say("Handing in. What the task asks about tools is answered with it.")
    session.run("assay submit --statement 'An assistant for the SQL; I checked "
                "each statement.' --receipt receipt.json",
                "assay receipt key > assay.pub")
    assay.server.stop()
    session.say("The receipt needs no server: here, it was stopped before.")
    session.run("assay receipt verify receipt.json --key assay.pub")
    text = session.text.replace(str(session.home), "~")
    return cut_secrets(text).rstrip() + "\n"


def main():
    assay = Installation()
    try:
        page = record(assay)
    finally:
        assay.close()
    (SOURCE / "docs/tutorials/candidate-session.md").write_text(page)


if __name__ == "__main__":
    main()
