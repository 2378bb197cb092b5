# Hands a message to a Postfix that relays it to a port, and waits for what it tells of it. Arguments: Postfix's port and its log, the port, sender,
# file and recipients. Exit code: 0, all have it.
import re
import smtplib
import sys
import time

submission, log, port, sender, message, *recipients = sys.argv[1:]
with open(message, "rb") as file:
    content = file.read()
needed = ["SMTPUTF8"] if not "".join([sender, *recipients]).isascii() else []
with smtplib.SMTP("127.0.0.1", int(submission), local_hostname=f"p{port}.example") as client:

    def said(answer):
        assert answer[0] in (250, 354), answer
        return answer[1].decode()

    client.ehlo()
    said(client.mail(sender, needed + (["BODY=8BITMIME"] if not content.isascii() else [])))
    for one in recipients:
        said(client.docmd(f"RCPT TO:<{one}>"))
    said(client.docmd("DATA"))
    # smtplib would make CRLF of each line end: these are octets as they were given.
    client.send(re.sub(rb"(^|\n)\.", rb"\1..", content))
    client.send(b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")
    name = said(client.getreply()).split()[-1]
while True:
    with open(log, encoding="utf-8", errors="replace") as file:
        told = [line for line in file if f" {name}: to=<" in line]
    if len(told) >= len(set(recipients)):
        sys.exit(0 if all(" status=sent " in line for line in told) else 1)
    time.sleep(0.05)
