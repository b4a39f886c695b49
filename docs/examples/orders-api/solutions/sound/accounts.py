"""Customers: registering and signing in."""

import hashlib
import hmac
import os

import database
import tokens
from problem import Problem

_COST = {"n": 2**14, "r": 8, "p": 1}


def register(body):
    email, password = _credentials(body)
    with database.transaction() as cursor:
        cursor.execute(
            "insert into customers (email, password_hash) values (%s, %s)"
            " on conflict (email) do nothing returning id",
            (email, _hash(password)),
        )
        row = cursor.fetchone()
    if row is None:
        raise Problem(409, "This address is taken")
    return {"id": row[0], "email": email}


def login(body):
    email, password = _credentials(body)
    with database.reading() as cursor:
        cursor.execute(
            "select id, password_hash from customers where email = %s", (email,)
        )
        customer, stored = cursor.fetchone() or (None, None)
    # An unknown address takes as long as a wrong password.
    if not _matches(password, stored or _NOBODY) or customer is None:
        raise Problem(401, "Address or password is wrong")
    return {
        "access_token": tokens.issue(customer),
        "token_type": "Bearer",
        "expires_in": tokens.LIFETIME_SECONDS,
    }


def _credentials(body):
    email = body.get("email") if isinstance(body, dict) else None
    password = body.get("password") if isinstance(body, dict) else None
    if not isinstance(email, str) or "@" not in email:
        raise Problem(422, "email must be an address")
    if not isinstance(password, str) or not 8 <= len(password) <= 200:
        raise Problem(422, "password must have 8 to 200 characters")
    return email, password


def _hash(password):
    salt = os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, **_COST)
    return f"{salt.hex()}:{digest.hex()}"


def _matches(password, stored):
    salt, _, digest = stored.partition(":")
    actual = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **_COST)
    return hmac.compare_digest(actual.hex(), digest)


_NOBODY = _hash("nobody has this password")
