# Sends by smtplib what extensions are for: arguments are the name of a case and where to.
import smtplib
import sys
from email.message import EmailMessage

SENDER = "sender@client.example"
TEXT = "Subject: x\r\n\r\n.dot\r\n"


def lmtp(where):
    with smtplib.LMTP(where, 0 if where.startswith("/") else int(sys.argv[3])) as client:
        client.sendmail(SENDER, ["one@mx.example"], TEXT)


def utf8(where):
    message = EmailMessage()
    message["From"] = "söñder@client.example"
    message["To"] = "用户@mx.example"
    message["Subject"] = "Grüße"
    message.set_content("ünïcödé\n")
    with smtplib.SMTP(where, int(sys.argv[3])) as client:
        client.send_message(message)


def dsn(where):
    with smtplib.SMTP(where, int(sys.argv[3])) as client:
        options = ["RET=HDRS", "ENVID=QQ314+2B159", "MT-PRIORITY=-3", "BY=120;R"]
        client.sendmail(SENDER, ["one@mx.example"], TEXT, options, ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;a+2Bb@c"])


{"lmtp": lmtp, "utf8": utf8, "dsn": dsn}[sys.argv[1]](sys.argv[2])
