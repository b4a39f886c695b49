"""A bucket of an S3 server of our own, which breaks what it is told to."""

import json
import pathlib
import subprocess
import urllib.request

from installation import SOURCE

KEYS = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"}
FOLDER = SOURCE / "tests/testing/s3"


class Bucket:
    """s3rver with the checks that it lacks, as in the tests of the store."""

    def __init__(self, directory, host="127.0.0.1"):
        # Once for a checkout, however many tests begin together.
        subprocess.run(
            ["flock", FOLDER / "package.json", "sh", "-c",
             "test -e node_modules/@20minutes/s3rver/package.json || "
             "npm ci --no-audit --no-fund"],
            check=True, capture_output=True, cwd=FOLDER)
        self.directory, self.host, self.port = directory, host, "0"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["node", FOLDER / "server.js", self.directory, "eu-test-1",
             self.port, self.host], stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().split()[1]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def objects(self):
        return len(list(pathlib.Path(self.directory).rglob("*_object")))

    def break_next(self, **fault):
        """As tests/testing/s3/server.js says; nothing: what is to be broken
        stays whole."""
        asked = urllib.request.Request(
            f"{self.endpoint}/-/fault", method="PUT",
            data=json.dumps(fault).encode())
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        direct.open(asked, timeout=10).close()

    @property
    def endpoint(self):
        return f"http://{self.host}:{self.port}"

    @property
    def folder(self):
        """Where objects are, each as a file."""
        return pathlib.Path(self.directory) / "blobs/e2e"

    @property
    def options(self):
        return ["--blobs", "s3://blobs/e2e", "--s3-endpoint", self.endpoint,
                "--s3-region", "eu-test-1"]
