"""A server of aiosmtpd: stores each message as it came, one file each. receive.py FOLDER CERT KEY plain|tls USER PASSWORD"""

import asyncio
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder, cert, key, mode, user, password = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
count = 0


class Keep:
    async def handle_DATA(self, server, session, envelope):
        global count
        count += 1
        with open(f"{folder}/{count:06}", "wb") as file:
            file.write(envelope.original_content)
        return "250 kept"


def authenticate(server, session, envelope, mechanism, data):
    # What is not handled is refused by the server itself.
    return AuthResult(success=(data.login, data.password) == (user.encode(), password.encode()), handled=False)


def session():
    return SMTP(
        Keep(),
        hostname="peer.example",
        enable_SMTPUTF8=True,
        tls_context=None if mode == "tls" else context,
        auth_require_tls=mode != "tls",
        authenticator=authenticate,
    )


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if mode == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
