#!/usr/bin/python3
"""A mail server for tests (Debian's aiosmtpd): STARTTLS and logins, on a free
port of this machine. Prints its port, then a line of JSON for each login and
each mail.

    mail_server.py CERTIFICATE    demands TLS before anything else
    mail_server.py                knows no TLS, and takes logins all the same
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

PASSWORD = b"correct horse"


def tell(**what):
    print(json.dumps(what), flush=True)


def authenticate(server, session, envelope, mechanism, data):
    fine = data.login == b"assay" and data.password == PASSWORD
    tell(event="login", user=data.login.decode(), fine=fine,
         tls=session.ssl is not None)
    return AuthResult(success=fine, handled=False)


class Box:
    async def handle_DATA(self, server, session, envelope):
        tell(event="mail", to=envelope.rcpt_tos, sender=envelope.mail_from,
             text=envelope.content.decode(), tls=session.ssl is not None,
             login=session.authenticated)
        return "250 kept"


async def serve(certificate):
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Box(), hostname="localhost", tls_context=context,
                     require_starttls=context is not None, loop=loop,
                     authenticator=authenticate, auth_required=True,
                     auth_require_tls=context is not None),
        host="127.0.0.1", port=0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve(sys.argv[1] if len(sys.argv) > 1 else None))
