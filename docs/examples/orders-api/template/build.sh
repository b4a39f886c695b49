#!/bin/sh
# Runs once before the service starts, without network. A failure here ends
# the run, so let it find what can be found early.
set -eu
cd "$(dirname "$0")"
python3 -m py_compile ./*.py
