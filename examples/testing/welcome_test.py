# A test in another language than the server's: it sends, is refused, sends again, and reads what was stored.
import pathlib
import smtplib
import unittest
from email.message import EmailMessage


def welcome(to):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Welcome", "shop@example.org", to
    message.set_content("Hello")
    with smtplib.SMTP("127.0.0.1", 1025, timeout=60) as smtp:
        smtp.login("shop", "any password")
        smtp.send_message(message)


class Welcome(unittest.TestCase):
    def test_a_mailbox_that_is_full_and_later_is_not(self):
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
            welcome("full@example.org")
        self.assertEqual(refused.exception.recipients["full@example.org"][0], 452)
        welcome("full@example.org")
        mails = [path.read_text() for path in pathlib.Path("mail/new").iterdir()]
        self.assertEqual(["Subject: Welcome" in mail for mail in mails], [True])

    def test_a_wrong_password(self):
        with smtplib.SMTP("127.0.0.1", 1025, timeout=60) as smtp, self.assertRaises(smtplib.SMTPAuthenticationError):
            smtp.login("eve", "any password")


unittest.main()
