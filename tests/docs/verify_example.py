#!/usr/bin/env python3
"""An example's suite judges its template, reference and broken variants as
verify.yaml says, and the kill table in its README is the one that comes out.

ASSAY_VERIFY_REPEAT runs each solution more than once; ASSAY_UPDATE_GOLDEN=1
writes the table.

A build that gets packages from npm's registry gets them from the one that this
machine's npm is configured for; exit code 77, "skipped", where none answers."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

BIN = pathlib.Path(os.environ["ASSAY_BIN_DIR"])
TABLE = re.compile(r"(<!-- kill table -->\n).*?(<!-- end of kill table -->)",
                   re.DOTALL)


REGISTRY = '"packages.example.org:443"'
ADDRESS = '"https://packages.example.org/"'
SKIPPED = 77


def npm(*words):
    done = subprocess.run(["npm", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else ""


def with_registry(example, directory):
    """The example, with the registry of this machine where it names npm's."""
    suite = pathlib.Path(example) / "suite/assay.yaml"
    if REGISTRY not in suite.read_text():
        return example
    if not npm("view", "@opentelemetry/api", "version"):
        print("no npm registry answers: the example's build would find no "
              "packages. What its steps do with OTLP is also tested without "
              "one, by runner_disturbance_test.")
        sys.exit(SKIPPED)
    url = npm("config", "get", "registry")
    parts = urllib.parse.urlsplit(url)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    copy = pathlib.Path(directory) / "example"
    shutil.copytree(example, copy)
    text = suite.read_text()
    text = text.replace(REGISTRY, f'{{ host: "{parts.hostname}:{port}", '
                                  'private: true }')
    text = text.replace(ADDRESS, f'"{url}"')
    (copy / "suite/assay.yaml").write_text(text)
    return copy


def main(example):
    readme = pathlib.Path(example) / "README.md"
    with tempfile.TemporaryDirectory(prefix="assay-verify-") as directory:
        made = pathlib.Path(directory) / "table.md"
        done = subprocess.run(
            [BIN / "assay", "suite", "verify",
             with_registry(example, directory), "--report", made,
             "--repeat", os.environ.get("ASSAY_VERIFY_REPEAT", "1")],
            env=os.environ | {"NO_COLOR": "1"}, stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"{example}: exit code {done.returncode}")
        table = made.read_text()
    text = readme.read_text()
    if not TABLE.search(text):
        sys.exit(f"{readme}: expected a <!-- kill table --> to compare")
    want = TABLE.sub(lambda m: m[1] + "\n" + table + "\n" + m[2], text)
    if os.environ.get("ASSAY_UPDATE_GOLDEN"):
        readme.write_text(want)
    elif text != want:
        sys.exit(f"{readme}: the kill table is not this one (write it with "
                 f"ASSAY_UPDATE_GOLDEN=1):\n{table}")


if __name__ == "__main__":
    main(*sys.argv[1:])
