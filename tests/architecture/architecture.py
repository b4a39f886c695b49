#!/usr/bin/env python3
"""Checks the rules of docs/architecture.md that a compiler does not.

    architecture.py RULE [ROOT]     one rule; exit code 1 with a line for each breach
    architecture.py --list          the rules

Each rule is a function below; the test that a rule catches what it is for is in
architecture_test.py.
"""

import pathlib
import re
import subprocess
import sys

CODE = {".cc", ".h", ".proto"}
TEXT = CODE | {".md", ".txt", ".cmake", ".py", ".sh", ".ts", ".tsx", ".mjs",
               ".js", ".json", ".yaml", ".yml", ""}

# What a folder may include beside itself and the standard library. `tests` may
# include anything; nothing includes `tests`, `deploy` or `docs`.
GENERATED = "assay/"
ALLOWED = {
    "proto": ["proto/"],
    "sandbox": ["sandbox/", "proto/base/"],
    "runner/suite": ["runner/suite/", "proto/base/", GENERATED],
    "runner": ["runner/", "sandbox/", "proto/base/", GENERATED],
    "services/cli": ["services/", "runner/suite/", "runner/reports/",
                     "proto/base/", GENERATED],
    "services": ["services/", "runner/suite/", "proto/base/", GENERATED],
}
# Asio and gRPC in a header cost every file that includes it.
HEAVY = re.compile(r'#include <(boost/asio\.hpp|grpcpp/grpcpp\.h)>')
EMPTY_NAMES = re.compile(r"(^|[/_.-])(utils?|common|helpers?|misc|managers?)([/_.]|$)")
# OpenTelemetry's own file name, which its wire format is known by.
NAMES_KEPT = {"proto/assay/otlp/v1/common.proto"}
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.M)


def files(root):
    """Tracked and new files, without what .gitignore names."""
    out = subprocess.run(
        ["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    return [f for f in out.splitlines() if (pathlib.Path(root) / f).is_file()]


def read(root, file):
    return (pathlib.Path(root) / file).read_text(errors="replace")


def folder_of(file):
    for folder in sorted(ALLOWED, key=len, reverse=True):
        if file.startswith(folder + "/"):
            return folder
    return None


def includes(root):
    """A folder includes only what stands below it."""
    for file in files(root):
        folder = folder_of(file)
        if pathlib.Path(file).suffix not in CODE or folder is None:
            continue
        for line_number, line in enumerate(read(root, file).splitlines(), 1):
            match = INCLUDE.match(line)
            if not match or "/" not in match[1]:
                continue
            if not any(match[1].startswith(p) for p in ALLOWED[folder]):
                yield (f"{file}:{line_number}: {folder} must not include "
                       f"{match[1]}; it may include {', '.join(ALLOWED[folder])}")


def headers(root):
    """No header drags all of Asio or gRPC along."""
    for file in files(root):
        if (file.endswith(".h") and not file.startswith("tests/")
                and HEAVY.search(read(root, file))):
            yield f"{file}: includes all of Asio or gRPC; name the header needed"


def guards(root):
    """Include guards are named after the path; candidates do as they like."""
    for file in files(root):
        if not file.endswith(".h") or file.startswith("docs/examples/"):
            continue
        want = "ASSAY_" + re.sub(r"[^A-Za-z0-9]", "_", file).upper() + "_"
        if f"#ifndef {want}" not in read(root, file):
            yield f"{file}: expected the include guard {want}"


def names(root):
    """No file or folder has a name that says nothing."""
    for file in files(root):
        if EMPTY_NAMES.search(file) and file not in NAMES_KEPT:
            yield f"{file}: util, common, helper, misc and manager say nothing"


def sql(root):
    """SQL of the store stands in services/storage and nowhere else."""
    statement = re.compile(
        r'"\s*(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\s')
    for file in files(root):
        if (file.startswith("services/") and file.endswith((".cc", ".h"))
                and not file.startswith("services/storage/")
                and statement.search(read(root, file))):
            yield f"{file}: SQL outside services/storage"


def places(root):
    """Nothing of one machine is in the repository: no absolute path of a
    checkout, no host that packages are fetched from."""
    machine = re.compile(
        r"(?<![\w.])/(work/(wt|main|shared)|root/[\w-]+|home/[\w-]+)/|"
        r"\b(registry\.npmjs\.org|registry\.yarnpkg\.com|deb\.debian\.org|"
        r"pypi\.org|crates\.io|proxy\.golang\.org)\b")
    for file in files(root):
        if pathlib.Path(file).suffix not in TEXT or file.startswith(
                "tests/architecture/"):
            continue
        for line_number, line in enumerate(read(root, file).splitlines(), 1):
            match = machine.search(line)
            if match and not MENTIONS.get(file, lambda _: False)(match[0]):
                yield f"{file}:{line_number}: {match[0]} is one machine's"


# Files that may say such a thing, and which.
MENTIONS = {}


RULES = {f.__name__: f for f in (includes, headers, guards, names, sql, places)}


def main(arguments):
    if arguments[:1] == ["--list"]:
        print("\n".join(RULES))
        return 0
    root = arguments[1] if len(arguments) > 1 else str(
        pathlib.Path(__file__).resolve().parents[2])
    breaches = list(RULES[arguments[0]](root))
    print("\n".join(breaches) or f"{arguments[0]}: kept")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
