#!/usr/bin/env python3
"""Draws docs/images/trace-show.svg: what `assay trace show` prints of a run of
the sample's faulty solution, one check of it.

    ASSAY_SOURCE_DIR=. ASSAY_BIN_DIR=build/dev/bin tests/docs/capture_trace.py

Everything in the picture was printed by the command; nothing is made up."""

import html
import os
import pathlib
import sys

SOURCE = pathlib.Path(os.environ.setdefault(
    "ASSAY_SOURCE_DIR", str(pathlib.Path(__file__).resolve().parents[2])))
sys.path.insert(0, str(SOURCE / "tests/e2e"))

from installation import SAMPLE, Installation  # noqa: E402

COLUMN, LINE, MARGIN, MOST = 7.25, 17, 14, 120


def draw(command, lines):
    """A terminal with these lines in it, as SVG."""
    rows = ["$ " + command] + [line[:MOST] for line in lines]
    width = round(2 * MARGIN + COLUMN * max(map(len, rows)))
    height = 2 * MARGIN + LINE * len(rows)
    text = []
    for number, row in enumerate(rows):
        colour = ("#8bd5ca" if number == 0 else
                  "#ed8796" if "✗" in row else "#cad3f5")
        text.append(f'<text x="{MARGIN}" y="{MARGIN + LINE * number + 12}" '
                    f'fill="{colour}" xml:space="preserve">'
                    f"{html.escape(row)}</text>")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" '
            'font-size="12">\n'
            f'<title>{html.escape(command)}</title>\n'
            f'<rect width="{width}" height="{height}" rx="8" fill="#24273a"/>\n'
            + "\n".join(text) + "\n</svg>\n")


def main():
    assay = Installation()
    try:
        # Hidden checks are judged when the time is over.
        assay.assignment("orders", folder=SAMPLE, duration="25s", grace="0s")
        candidate = assay.candidate("orders")
        candidate.commit(SAMPLE / "solutions/faulty")
        candidate.push()
        run = assay.final_run(candidate)
        words = ["trace", "show", run["name"], "--check", "few-queries"]
        tree = assay.run(*words).stdout.splitlines()
    finally:
        assay.close()
    assert any("× 20" in line for line in tree), tree
    picture = SOURCE / "docs/images/trace-show.svg"
    short = "assay " + " ".join(w.rpartition("/")[2] for w in words)
    picture.write_text(draw(short, tree), encoding="utf-8")
    print(f"{picture}: {len(tree)} lines")


if __name__ == "__main__":
    main()
