"""The link checker itself: what it must find, and what it must leave alone."""

import pathlib
import sys
import tempfile
import unittest

import check_links


class CheckLinksTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.page = self.root / "page.md"
        (self.root / "other.md").write_text("# Of Cells, and `wires`\n## Again\n## Again\n")

    def problems(self, text):
        self.page.write_text(text)
        return list(check_links.check(self.root, self.page))

    def test_missing_file_is_found_with_its_line(self):
        self.assertEqual(self.problems("a\n[b](nothing.md)"),
                         ["page.md:2: nothing.md: no such file"])

    def test_missing_image_is_found(self):
        self.assertEqual(len(self.problems('![a](no.svg) <img src="no.png">')), 2)

    def test_missing_heading_is_found(self):
        self.assertEqual(len(self.problems("[b](other.md#beyond) [c](#here)")), 2)

    def test_headings_are_found_by_their_slug(self):
        links = "[a](other.md#of-cells-and-wires) [b](other.md#again-1)"
        self.assertEqual(self.problems(links), [])

    def test_link_out_of_the_repository_is_found(self):
        self.assertEqual(len(self.problems("[b](../secret.md)")), 1)

    def test_code_and_web_addresses_are_left_alone(self):
        text = "`[a](no.md)` [b](https://example.org/x)\n```\n[c](no.md)\n```\n"
        self.assertEqual(self.problems(text), [])


if __name__ == "__main__":
    sys.exit(unittest.main())
