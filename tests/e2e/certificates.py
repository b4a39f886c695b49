"""Certificates of an authority of our own, by the program openssl."""

import itertools
import pathlib
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   capture_output=True)


class Authority:
    def __init__(self, folder, name="Test authority"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.numbers = itertools.count(1)
        self.certificate = self.folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", 30, "-subj",
                f"/CN={name}", "-keyout", self.folder / "ca.key", "-out",
                self.certificate)

    def issue(self, certificate, key, names="IP:127.0.0.1,DNS:localhost",
              days=2):
        """Writes both files, all or nothing, one after the other. With negative
        `days`, the certificate has expired."""
        stem = self.folder / f"n{next(self.numbers)}"
        extensions = stem.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=server",
                "-keyout", stem.with_suffix(".key"), "-out",
                stem.with_suffix(".csr"))
        openssl("x509", "-req", "-in", stem.with_suffix(".csr"), "-CA",
                self.certificate, "-CAkey", self.folder / "ca.key",
                "-CAcreateserial", "-days", days, "-extfile", extensions,
                "-out", stem.with_suffix(".pem"))
        stem.with_suffix(".key").rename(key)
        stem.with_suffix(".pem").rename(certificate)
