"""Delivers mails by LMTP with Python's smtplib: the port, then a mail for two recipients, for one of them twice, and for a stranger."""

import smtplib
import sys

port, reply, bounce = int(sys.argv[1]), sys.argv[2], sys.argv[3]
mail = sys.stdin.read().replace("\n", "\r\n").encode()
with smtplib.LMTP("127.0.0.1", port) as server:
    for recipient in [reply, bounce, reply]:
        # smtplib reads one reply to a mail: one recipient at a time.
        refused = server.sendmail("mailer-daemon@mx.example", [recipient], mail)
        assert refused == {}, refused
    try:
        server.sendmail("", ["root@elsewhere.test"], mail)
        raise AssertionError("taken for a stranger")
    except smtplib.SMTPRecipientsRefused as error:
        code, text = error.recipients["root@elsewhere.test"]
        assert code == 550 and text.startswith(b"5.1.1"), error
    code, text = server.docmd("MAIL", "FROM:<> SIZE=99999999")
    assert code == 552, (code, text)
print("delivered")
