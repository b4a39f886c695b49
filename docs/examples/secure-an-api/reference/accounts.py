"""Users, passwords and tokens."""

import hashlib
import hmac
import os
import sqlite3

import store

_KEY = os.environ["TOKEN_SECRET"].encode()


class Taken(Exception):
    pass


def register(name, password, fields):
    salt = os.urandom(16)
    try:
        rows = store.run(
            "insert into users (name, password) values (?, ?) returning id, name, role",
            name, salt.hex() + _digest(password, salt))
    except sqlite3.IntegrityError:
        raise Taken from None
    return dict(zip(("id", "name", "role"), rows[0]))


def sign_in(name, password):
    """A token, or None."""
    rows = store.run("select id, password from users where name = ?", name)
    if not rows:
        return None
    user, stored = rows[0]
    if not hmac.compare_digest(stored[32:], _digest(password, bytes.fromhex(stored[:32]))):
        return None
    return f"{user}.{_signature(str(user))}"


def user_of(token):
    """(id, role) of whom the token was given to, or None."""
    user, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(user).encode()):
        return None
    rows = store.run("select id, role from users where id = ?", user)
    return rows[0] if rows else None


def all_names():
    return [name for (name,) in store.run("select name from users order by id")]


def _digest(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1).hex()


def _signature(user):
    return hmac.new(_KEY, user.encode(), hashlib.sha256).hexdigest()
