#!/usr/bin/env python3
"""The man pages, the README and the completion rules say what programs do."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ["ASSAY_SOURCE_DIR"])
BIN = pathlib.Path(os.environ["ASSAY_BIN_DIR"])
MAN = SOURCE / "docs/man"


def output(*command):
    return subprocess.run([str(c) for c in command], check=True,
                          capture_output=True, text=True).stdout


def options(text):
    return set(re.findall(r"--[a-z][a-z-]+", text.replace("\\-", "-")))


def commands():
    """Every command of assay that does something: "run watch"."""
    manual = output(BIN / "assay", "manual")
    return set(m.replace("\\-", "-") for m in
               re.findall(r"^\.SS (.*)$", manual, re.M))


def markdown():
    """What people read; decisions may speak of what was."""
    files = output("git", "-C", SOURCE, "ls-files", "*.md").splitlines()
    return [SOURCE / f for f in files if not f.startswith("docs/adr/")]


SUBCOMMANDS = {"assayd": ("fsck", "backup", "restore",
                          "migrate-store", "migrate-blobs")}


class ManTest(unittest.TestCase):
    def test_assay_page_is_the_programs_own(self):
        want = output(BIN / "assay", "manual")
        if "--update-golden" in sys.argv or os.environ.get("UPDATE_GOLDEN"):
            (MAN / "assay.1").write_text(want)
        self.assertEqual((MAN / "assay.1").read_text(), want,
                         "run: build/release/bin/assay manual > docs/man/assay.1")

    def test_the_reference_is_the_programs_own(self):
        page = SOURCE / "docs/reference/cli.md"
        want = output(BIN / "assay", "manual", "--markdown")
        if "--update-golden" in sys.argv or os.environ.get("UPDATE_GOLDEN"):
            page.write_text(want)
        self.assertEqual(page.read_text(), want, "run: build/release/bin/assay "
                         "manual --markdown > docs/reference/cli.md")

    def test_daemons_pages_name_their_options_and_no_others(self):
        for program in ("assayd", "assay-runner"):
            page = (MAN / f"{program}.8").read_text()
            shown = options(output(BIN / program, "--help"))
            for command in SUBCOMMANDS.get(program, ()):
                shown |= options(output(BIN / program, command, "--help"))
            self.assertEqual(shown - {"--help"}, options(page) - {"--help"},
                             program)

    def test_every_page_is_readable(self):
        for page in MAN.iterdir():
            if not subprocess.run(["sh", "-c", "command -v mandoc"],
                                  capture_output=True).returncode:
                output("mandoc", "-T", "lint", "-W", "error", page)
            self.assertIn(".SH NAME", page.read_text(), page)


class HelpTest(unittest.TestCase):
    def test_every_command_has_an_example(self):
        for command in commands():
            text = output(BIN / "assay", *command.split(), "--help")
            self.assertIn("Examples:\n  assay " + command, text)


class CompletionTest(unittest.TestCase):
    def complete(self, *words):
        script = (f'source <("{BIN / "assay"}" completion bash);'
                  'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _assay;'
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return output("bash", "-c", script, "bash", *words).split()

    def test_completes_commands_and_options(self):
        self.assertEqual(self.complete("assay", "run", "wa"), ["watch"])
        self.assertEqual(self.complete("assay", "run", "watch", "--lo"), ["--logs"])
        self.assertIn("--server", self.complete("assay", "trace", "show", "x", "--s"))
        self.assertIn("assignment", self.complete("assay", "--json", "as"))


class DocumentsTest(unittest.TestCase):
    def test_commands_of_the_documents_exist(self):
        known = commands()
        for document in markdown():
            blocks = re.findall(r"^```\w*\n(.*?)^```|^((?:    .*\n)+)",
                                document.read_text(), re.M | re.S)
            for line in "\n".join(a or b for a, b in blocks).splitlines():
                self.check(document.name, line.strip(), known)

    def check(self, document, line, known):
        line = re.sub(r"^\$ ", "", line)
        if match := re.match(r"assay ([a-z][a-z -]*)", line):
            words = re.sub(r" -.*", "", match[1]).split()
            self.assertTrue(any(" ".join(words[:n]) in known for n in (1, 2, 3)),
                            f"{document}: {line}")
        elif match := re.match(r"(?:\./)?((?:deploy|tests|\.ci)/[\w/-]+)", line):
            self.assertTrue((SOURCE / match[1]).exists(), f"{document}: {line}")


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--update-golden"])
