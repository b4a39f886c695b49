"""A PostgreSQL of this machine in a temporary directory, with commits that wait
for the disk, on a free port of 127.0.0.1 and run by an unprivileged user."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile


class Postgres:
    def __init__(self):
        self.bin = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="assay-bench-"))
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.user:
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        data = self.directory / "data"
        self.run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8",
                 "--locale=C.UTF-8", "-D", data)
        self.run("pg_ctl", "-D", data, "-w", "-l", self.directory / "log", "-o",
                 f"-p {self.port} -h 127.0.0.1 -k {self.directory}", "start")

    def run(self, program, *arguments):
        more = {}
        if self.user:
            more = {"user": self.user.pw_uid, "group": self.user.pw_gid,
                    "extra_groups": []}
        subprocess.run([str(self.bin / program), *map(str, arguments)],
                       check=True, stdout=subprocess.DEVNULL,
                       cwd=self.directory, **more)

    def database(self, name):
        """Makes one, and answers with its URL."""
        self.run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres",
                 name)
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def close(self):
        self.run("pg_ctl", "-D", self.directory / "data", "-m", "fast", "-w", "stop")
        shutil.rmtree(self.directory, ignore_errors=True)
