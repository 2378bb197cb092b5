# Sends by smtplib: arguments are the port and the name of a case.
import smtplib
import sys

SENDER = "sender@client.example"
RECIPIENTS = ["one@mx.example", "two@mx.example"]
HEAD = "From: <sender@client.example>\r\nSubject: {}\r\n\r\n"


def dots(smtp):
    text = HEAD.format("dots") + ".\r\n..\r\n.a\r\n...b\r\nlast\r\n."
    smtp.sendmail(SENDER, RECIPIENTS, text)


def several(smtp):
    for count in range(25):
        smtp.sendmail(SENDER, RECIPIENTS[: 1 + count % 2], HEAD.format(count) + "x" * (count * 97) + "\r\n." * count)


def eightbit(smtp):
    # All octets but CR and LF, and every line end as it should be.
    octets = bytes(byte for byte in range(1, 256) if byte not in (10, 13))
    smtp.sendmail(SENDER, RECIPIENTS, HEAD.format("8bit").encode() + b"\r\n".join([octets] * 9) + b"\r\n", ["BODY=8BITMIME"])


def large(smtp):
    line = "." * 3 + "large" * 12 + "\r\n"
    smtp.sendmail(SENDER, RECIPIENTS, HEAD.format("large") + line * 60_000)


with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=60) as connection:
    {"dots": dots, "several": several, "eightbit": eightbit, "large": large}[sys.argv[2]](connection)
