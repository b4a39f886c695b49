"""The sample's parts agree with each other.

The end-to-end tests grade the solutions; this finds in a second what would
make those results meaningless: a patch that does not apply, a check without a
mutation, planted faults that are not the documented ones.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SAMPLE = pathlib.Path(sys.argv.pop(1)).resolve() / "docs/examples/orders-api"
PLANTED = ["07-stock-read-then-written.patch", "09-one-statement-per-order.patch"]
PROSE = {"DECISIONS.md", "FAULTS.md"}


def suite_checks():
    text = (SAMPLE / "suite/assay.yaml").read_text()
    points = map(int, re.findall(r"^    points: (\d+)$", text, re.MULTILINE))
    return dict(zip(re.findall(r"^  - id: (\S+)$", text, re.MULTILINE), points))


def expected():
    return dict(re.findall(
        r"^    patch: mutations/(\S+)\n    loses: \[ (\S+) \]$",
        (SAMPLE / "verify.yaml").read_text(), re.MULTILINE))


def code_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in PROSE
        and "__pycache__" not in path.parts
    }


class ExamplesTest(unittest.TestCase):
    def patched(self, *patches):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        work = pathlib.Path(folder.name) / "work"
        shutil.copytree(SAMPLE / "solutions/sound", work)
        for patch in patches:
            subprocess.run(["git", "apply", SAMPLE / "mutations" / patch],
                           cwd=work, check=True)
        return code_of(work)

    def test_points_sum_to_a_hundred(self):
        self.assertEqual(sum(suite_checks().values()), 100)

    def test_each_check_is_guarded_by_one_mutation(self):
        self.assertEqual(sorted(expected().values()), sorted(suite_checks()))

    def test_each_patch_is_listed_and_applies(self):
        files = sorted(p.name for p in (SAMPLE / "mutations").glob("*.patch"))
        self.assertEqual(sorted(expected()), files)
        sound = code_of(SAMPLE / "solutions/sound")
        for patch in files:
            self.assertNotEqual(self.patched(patch), sound, patch)

    def test_the_faulty_solution_has_the_planted_faults_only(self):
        faulty = SAMPLE / "solutions/faulty"
        self.assertEqual(self.patched(*PLANTED), code_of(faulty))
        documented = (faulty / "FAULTS.md").read_text()
        for patch in PLANTED:
            self.assertIn(f"`{expected()[patch]}`", documented)

    def test_candidates_get_the_tables_that_the_suite_makes(self):
        def statements(path):
            return re.sub(r"--.*", "", (SAMPLE / path).read_text()).strip()

        made = statements("suite/sql/schema.sql")
        for copy in ("template", "solutions/sound", "solutions/node"):
            self.assertEqual(statements(f"{copy}/schema.sql"), made)


if __name__ == "__main__":
    unittest.main()
