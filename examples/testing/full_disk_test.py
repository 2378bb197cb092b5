# What a program does where the server has no room: the preset `full-disk` says so to each message.
import os
import smtplib
import unittest


class FullDisk(unittest.TestCase):
    def test_a_message_is_refused_for_now(self):
        with smtplib.SMTP(os.environ.get("MAIL_HOST", "127.0.0.1"), 1025, timeout=60) as smtp:
            with self.assertRaises(smtplib.SMTPDataError) as refused:
                smtp.sendmail("shop@example.org", ["ann@example.org"], "Subject: Welcome\r\n\r\nHello\r\n")
        self.assertEqual(refused.exception.smtp_code, 452)


unittest.main()
