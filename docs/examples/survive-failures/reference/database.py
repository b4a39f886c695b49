"""Connections to the database: a few are kept, broken ones are thrown away."""

import contextlib
import os
import threading

import psycopg2

KEPT = 8

_lock = threading.Lock()
_free = []


def _take():
    with _lock:
        if _free:
            return _free.pop()
    return psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=2,
                            options="-c statement_timeout=2000")


@contextlib.contextmanager
def transaction():
    """A cursor whose work is committed at the end, or never was."""
    connection = _take()
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    except psycopg2.Error:
        # Whatever it was: the next one begins with a fresh connection, and so do
        # those that lay beside it.
        connection.close()
        with _lock:
            while _free:
                _free.pop().close()
        raise
    with _lock:
        if len(_free) < KEPT:
            _free.append(connection)
            return
    connection.close()
