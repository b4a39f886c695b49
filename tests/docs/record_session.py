#!/usr/bin/env python3
"""Records docs/tutorials/candidate-session.md: a candidate from the link to the
receipt, on a real installation with the sample assignment.

    ASSAY_SOURCE_DIR=. ASSAY_BIN_DIR=build/release/bin tests/docs/record_session.py

What differs each time (secrets, ids, times) stays as it was that day, but for
secrets, which are cut short. With `--check` nothing is written: exit code 1 when
the programs say something else than the page, but for what differs each time.
"""

import difflib
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


# Which of a run's stages are seen depends on how fast they pass.
STAGE = re.compile(r"remote: (Queued|Waiting|Preparing|Building|Starting|Running)\b")

DIFFERS = [
    (r"\b(att|rep|run|qst)_[0-9a-z]+", r"\1_ID"),
    (r"(invitation#|asy_)[0-9a-z]+", r"\1SECRET"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"\b[0-9a-f]{7,40}\b", "HEX"),
    (r"git version [0-9.]+", "git version N"),
]


def lasting(page):
    """The lines that are the same each time."""
    lines = [line for line in page.splitlines() if not STAGE.match(line)]
    for pattern, name in DIFFERS:
        lines = [re.sub(pattern, name, line) for line in lines]
    return lines


def main():
    page_file = SOURCE / "docs/tutorials/candidate-session.md"
    assay = Installation()
    try:
        page = record(assay)
    finally:
        assay.close()
    if sys.argv[1:] != ["--check"]:
        page_file.write_text(page)
        return
    difference = list(difflib.unified_diff(
        lasting(page_file.read_text()), lasting(page), str(page_file),
        "what the programs say today", lineterm=""))
    if difference:
        print("\n".join(difference))
        raise SystemExit("record it again: see tests/docs/record_session.py")


if __name__ == "__main__":
    main()
