"""Every link and image in the Markdown files leads somewhere.

Checks relative paths and the anchors of headings; addresses on the web are
left alone, since tests run without a network.
"""

import pathlib
import re
import subprocess
import sys
import urllib.parse

LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
HTML_LINK = re.compile(r"<(?:img|a|source)\b[^>]*?(?:src|srcset|href)=\"([^\"]+)\"")
REFERENCE = re.compile(r"^\[[^\]^]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def main(root):
    root = pathlib.Path(root)
    pages = [page for page in tracked(root) if page.suffix == ".md"]
    problems = [problem for page in pages for problem in check(root, page)]
    for problem in problems:
        print(problem)
    print(f"{len(pages)} pages, {len(problems)} dead links")
    return 1 if problems or not pages else 0


def tracked(root):
    command = ["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
        return [root / name for name in names if name and (root / name).exists()]
    # A source archive has no repository.
    skipped = {"build", "node_modules"}
    return [p for p in root.rglob("*.md") if not skipped & set(p.parts)]


def check(root, page):
    text = page.read_text()
    prose = CODE.sub(lambda code: "\n" * code[0].count("\n"), text)
    for pattern in (LINK, HTML_LINK, REFERENCE):
        for match in pattern.finditer(prose):
            reason = broken(root, page, match[1])
            if reason:
                line = prose.count("\n", 0, match.start()) + 1
                yield f"{page.relative_to(root)}:{line}: {match[1]}: {reason}"


def broken(root, page, link):
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return None
    path, _, anchor = link.partition("#")
    target = page
    if path:
        target = (page.parent / urllib.parse.unquote(path)).resolve()
        if not target.is_relative_to(root.resolve()):
            return "leads out of the repository"
        if not target.exists():
            return "no such file"
    if anchor and target.suffix == ".md":
        if anchor not in anchors(target.read_text()):
            return "no such heading"
    return None


def anchors(text):
    found, prose = set(), re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for match in HEADING.finditer(prose):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number, unique = 0, slug
        while unique in found:
            number += 1
            unique = f"{slug}-{number}"
        found.add(unique)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
