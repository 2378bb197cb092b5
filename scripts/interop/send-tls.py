# Sends by smtplib under TLS: arguments are starttls or ssl, the port, the authority's file and the message's file.
import smtplib
import ssl
import sys

mode, port, authority, file = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
# The newest checks want fields that the certificates of a test have no use for.
context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
with open(file, "rb") as stream:
    content = stream.read()

if mode == "ssl":
    connection = smtplib.SMTP_SSL("localhost", int(port), timeout=60, context=context)
else:
    connection = smtplib.SMTP("localhost", int(port), timeout=60)
with connection:
    if mode == "starttls":
        connection.starttls(context=context)
    for _ in range(20):
        connection.sendmail("sender@client.example", ["one@mx.example"], content)
    large = b"Subject: large\r\n\r\n" + b"...large\r\n" * 200_000
    connection.sendmail("sender@client.example", ["one@mx.example"], large)
