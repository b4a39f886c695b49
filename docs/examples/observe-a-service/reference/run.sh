#!/bin/sh
# Starts the service and stays in the foreground.
cd "$(dirname "$0")" || exit 1
exec node server.cjs
