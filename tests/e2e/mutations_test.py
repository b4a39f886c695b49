#!/usr/bin/env python3
"""Each mutation of the sound solution loses the points of the check that guards
it, and no other. One mutation: mutations_test.py PATCH CHECK."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from installation import BIN, SAMPLE, environment, lost


def grade(solution):
    done = subprocess.run(
        [BIN / "assay", "suite", "run", SAMPLE / "suite", "--against", solution,
         "--json"],
        env=environment(), capture_output=True, text=True, timeout=200)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        raise SystemExit(f"no result (exit code {done.returncode}):\n"
                         f"{done.stdout}{done.stderr}")


def main(patch, check):
    with tempfile.TemporaryDirectory(prefix="assay-mutation-") as directory:
        copy = pathlib.Path(directory) / "solution"
        shutil.copytree(SAMPLE / "solutions/sound", copy)
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn",
             SAMPLE / "mutations" / patch], cwd=copy, check=True,
            env=environment(GIT_CEILING_DIRECTORIES=directory))
        run = grade(copy)
    points = {c["checkId"]: c for c in run["checks"]}
    if lost(run) != [check] or points[check].get("earned", 0) != 0:
        for c in run["checks"]:
            if c["verdict"] != "VERDICT_PASSED":
                print(c["checkId"], c["verdict"], c.get("reason"))
        raise SystemExit(f"{patch}: expected to lose {check}, lost {lost(run)}; "
                         f"outcome {run.get('outcome')}")
    print(f"{patch}: lost {check}: {points[check]['reason']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
