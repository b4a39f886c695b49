"""Signed tokens: JSON Web Tokens with HMAC-SHA256 and nothing else."""

import base64
import hashlib
import hmac
import json
import os
import time

LIFETIME_SECONDS = 3600

_HEADER = {"alg": "HS256", "typ": "JWT"}


def issue(customer):
    claims = {"sub": customer, "exp": int(time.time()) + LIFETIME_SECONDS}
    content = f"{_encode(_HEADER)}.{_encode(claims)}"
    return f"{content}.{_signature(content)}"


def customer_of(token):
    """The customer that `token` was issued to; None unless it is ours."""
    content, _, signature = token.rpartition(".")
    # Compared before anything in the token is looked at.
    if not hmac.compare_digest(signature.encode(), _signature(content).encode()):
        return None
    claims = _decode(content.partition(".")[2])
    return claims["sub"] if claims["exp"] > time.time() else None


def _signature(content):
    key = bytes.fromhex(os.environ["TOKEN_SECRET"])
    return _base64(hmac.new(key, content.encode(), hashlib.sha256).digest())


def _encode(value):
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text):
    padded = text + "=" * (-len(text) % 4)
    return json.loads(base64.urlsafe_b64decode(padded))
