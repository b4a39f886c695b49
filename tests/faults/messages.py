"""The product's own protobuf messages, made by protoc when first asked for."""

import atexit
import importlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

from server import SOURCE

FILES = ("assay/v1/access.proto", "assay/v1/run.proto", "assay/v1/check.proto",
         "assay/v1/run_service.proto", "assay/v1/attempt_service.proto",
         "assay/plan/v1/plan.proto",
         "assay/runner/v1/lease_service.proto", "assay/runner/v1/run_input.proto")


def imports(proto, seen):
    """The files that `proto` needs of ours, itself included."""
    if proto in seen or not (SOURCE / "proto" / proto).exists():
        return seen
    seen.add(proto)
    for line in (SOURCE / "proto" / proto).read_text().splitlines():
        if line.startswith("import"):
            imports(line.split('"')[1], seen)
    return seen


def _load():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="assay-fault-proto-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = set()
    for file in FILES:
        imports(file, files)
    subprocess.run(["protoc", "-I", SOURCE / "proto", f"--python_out={folder}",
                    *sorted(files)], check=True)
    sys.path.insert(0, str(folder))


_load()
run_pb2 = importlib.import_module("assay.v1.run_pb2")
check_pb2 = importlib.import_module("assay.v1.check_pb2")
run_service_pb2 = importlib.import_module("assay.v1.run_service_pb2")
attempt_service_pb2 = importlib.import_module("assay.v1.attempt_service_pb2")
lease_pb2 = importlib.import_module("assay.runner.v1.lease_service_pb2")
plan_pb2 = importlib.import_module("assay.plan.v1.plan_pb2")
input_pb2 = importlib.import_module("assay.runner.v1.run_input_pb2")

RunEvent, Run = run_pb2.RunEvent, run_pb2.Run
CheckResult, Score = check_pb2.CheckResult, check_pb2.Score
AttachRequest, AttachResponse = lease_pb2.AttachRequest, lease_pb2.AttachResponse
