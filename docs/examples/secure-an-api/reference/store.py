"""The tables, in memory: a restart empties them, and that is fine."""

import sqlite3
import threading

_lock = threading.Lock()
_connection = sqlite3.connect(":memory:", check_same_thread=False)
_connection.executescript(
    """
    create table users (id integer primary key, name text unique,
                        password text, role text not null default 'member');
    create table notes (id integer primary key, owner integer, text text);
    """
)


def run(statement, *arguments):
    """All rows of a statement; sqlite3.IntegrityError for a name that is taken."""
    with _lock, _connection:
        return _connection.execute(statement, arguments).fetchall()
