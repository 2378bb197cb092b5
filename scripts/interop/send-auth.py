# Authenticates by smtplib under STARTTLS and sends: arguments are the mechanism, the port, the authority's file, user and password.
import smtplib
import ssl
import sys

mechanism, port, authority, user, password = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
# The newest checks want fields that the certificates of a test have no use for.
context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)

with smtplib.SMTP("localhost", int(port), timeout=60) as connection:
    connection.starttls(context=context)
    connection.ehlo()
    connection.user, connection.password = user, password
    connection.auth(mechanism, getattr(connection, "auth_" + mechanism.lower().replace("-", "_")))
    connection.sendmail("sender@client.example", ["one@mx.example"], b"Subject: x\r\n\r\nx\r\n")
