#!/usr/bin/env python3
"""An example's suite judges its template, reference and broken variants as
verify.yaml says, and the kill table in its README is the one that comes out.

ASSAY_VERIFY_REPEAT runs each solution more than once; ASSAY_UPDATE_GOLDEN=1
writes the table."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

BIN = pathlib.Path(os.environ["ASSAY_BIN_DIR"])
TABLE = re.compile(r"(<!-- kill table -->\n).*?(<!-- end of kill table -->)",
                   re.DOTALL)


def main(example):
    readme = pathlib.Path(example) / "README.md"
    with tempfile.TemporaryDirectory(prefix="assay-verify-") as directory:
        made = pathlib.Path(directory) / "table.md"
        done = subprocess.run(
            [BIN / "assay", "suite", "verify", example, "--report", made,
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
