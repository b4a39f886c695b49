"""A small pool of PostgreSQL connections."""

import contextlib
import os
import queue

import psycopg2

POOL_SIZE = 8
WAIT_SECONDS = 10

# A slot holds an open connection, or None until it is first used. The last
# one that was given back is taken first, so that a quiet service keeps few.
_slots = queue.LifoQueue()
for _ in range(POOL_SIZE):
    _slots.put(None)


class Unavailable(Exception):
    """The database cannot be reached, or every connection is busy."""


@contextlib.contextmanager
def transaction():
    """A cursor whose statements are committed together, or not at all."""
    with _connection() as connection:
        with connection, connection.cursor() as cursor:
            yield cursor


@contextlib.contextmanager
def reading():
    """A cursor for single statements that need no transaction around them."""
    with _connection() as connection:
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            if not connection.closed:
                connection.autocommit = False


def ping():
    with reading() as cursor:
        cursor.execute("select 1")


@contextlib.contextmanager
def _connection():
    try:
        connection = _slots.get(timeout=WAIT_SECONDS)
    except queue.Empty:
        raise Unavailable from None
    try:
        if connection is None:
            connection = psycopg2.connect(
                os.environ["DATABASE_URL"], connect_timeout=10
            )
        yield connection
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        # The server went away: the next user of the slot connects anew.
        if connection is not None:
            connection.close()
        raise Unavailable from None
    finally:
        broken = connection is None or connection.closed
        _slots.put(None if broken else connection)
