# Sends a message with smtplib: SMTP or LMTP, host, port, sender, file, recipients, and with --login a name and a password behind STARTTLS. Its exit code says whether all recipients have it.
import smtplib
import socket
import sys

protocol, host, port, sender, message, *recipients = sys.argv[1:]
login = []
if "--login" in recipients:
    at = recipients.index("--login")
    recipients, login = recipients[:at], recipients[at + 1 :]
with open(message, "rb") as file:
    content = file.read()
try:
    # LMTP has no timeout of its own here.
    socket.setdefaulttimeout(8)
    with getattr(smtplib, protocol)(host, int(port), local_hostname="client.example") as client:
        if login:
            client.starttls()
            client.login(*login)
        sys.exit(1 if client.sendmail(sender, recipients, content) else 0)
except (OSError, smtplib.SMTPException, ValueError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
