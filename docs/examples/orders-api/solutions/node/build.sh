#!/bin/sh
# Runs once before the service starts, without network.
set -eu
cd "$(dirname "$0")"
for file in *.mjs; do node --check "$file"; done
