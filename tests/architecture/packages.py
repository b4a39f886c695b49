#!/usr/bin/env python3
"""Says which headers a build read from Debian packages that deploy/packages.txt
does not bring: on a machine that has more installed, such a build works, and on
a fresh one it stops.

    packages.py BUILD_DIR PACKAGES_TXT

What the list brings is the list and everything that its packages depend on, as
the installed packages say (dpkg's database; no index of apt is needed).
Exit code: 0, or 1 with a line for each package that is missing from the list.
"""

import os
import re
import subprocess
import sys


def system_headers(build):
    """Files under /usr that the compiler read, by ninja's record."""
    deps = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True)
    return sorted({os.path.realpath(line.strip()) for line in deps.stdout.splitlines()
                   if line.startswith("    /usr/")})


def owners(files):
    """package -> one of its files; files of no package are left out."""
    found = {}
    for start in range(0, len(files), 500):
        answer = subprocess.run(["dpkg", "-S", *files[start:start + 500]], capture_output=True, text=True)
        for line in answer.stdout.splitlines():
            names, _, path = line.rpartition(": ")
            for name in names.split(", "):
                found.setdefault(name.split(":")[0], path)
    return found


def names(field):
    """The names in a Depends field; alternatives count as each of theirs."""
    return re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9.+-]*)", field)


def closure(listed):
    """The listed packages and what they depend on, among the installed."""
    format_ = "${Package}\t${Depends}, ${Pre-Depends}\t${Provides}\n"
    depends, provided = {}, {}
    for line in subprocess.run(["dpkg-query", "-W", "-f", format_], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        package, needs, provides = line.split("\t")
        depends[package] = names(needs)
        for name in names(provides):
            provided.setdefault(name, []).append(package)
    seen, waiting = set(), list(listed)
    while waiting:
        package = waiting.pop()
        if package in seen:
            continue
        seen.add(package)
        waiting += depends.get(package, []) + provided.get(package, [])
    return seen


def main():
    build, table = sys.argv[1:]
    with open(table, encoding="utf-8") as lines:
        listed = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    headers = system_headers(build)
    if len(headers) < 100:
        sys.exit(f"{build}: ninja's record names {len(headers)} system headers: build first")
    there = closure(listed)
    missing = {package: path for package, path in owners(headers).items() if package not in there}
    for package, path in sorted(missing.items()):
        print(f"{table}: the build read {path}, which comes with {package}: list it, with its reason")
    sys.exit(1 if missing else 0)


main()
