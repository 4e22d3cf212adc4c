"""Reads mails as strictly as Python's email can and compares them with what they were made of.

usage: mails.py FILE, with one JSON object on each line: the octets of the mail (base64) and what is in it.
With dkimpy it also verifies every signature.
"""

import base64
import email
import email.header
import email.policy
import email.utils
import json
import re
import sys

try:
    from dkim import DKIM
except ImportError:
    DKIM = None

POLICY = email.policy.SMTP.clone(raise_on_defect=True)
HEADERS = [
    "From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
    "Precedence", "MIME-Version", "Content-Type",
]
# What the encoder turns into a space: control characters (Unicode Cc).
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def words(text):
    """A header's text with every run of white space as one space."""
    return re.sub(" +", " ", CONTROL.sub(" ", str(text))).strip(" ")


def compare(what, found, expected):
    if found != expected:
        raise AssertionError(f"{what}: {found[:200]!r} instead of {expected[:200]!r}")


def body(part):
    """The octets of a part as text, with line feeds only and none at its end."""
    text = part.get_payload(decode=True).decode("utf-8", "strict").replace("\r\n", "\n")
    return text[:-1] if text.endswith("\n") else text


def lines(text):
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text[:-1] if text.endswith("\n") else text


def form(octets):
    """No bare CR or LF, no long line, nothing but ASCII."""
    rest = octets.replace(b"\r\n", b"")
    assert b"\r" not in rest and b"\n" not in rest, "a bare CR or LF"
    assert all(len(line) <= 998 for line in octets.split(b"\r\n")), "a line above 998 octets"
    assert octets.isascii(), "octets above 127"
    assert b"\0" not in octets, "a NUL"


def phrase(octets, header):
    """The name before an address by the older parser: that of the policies keeps the spaces between encoded words (gh-79728)."""
    raw = re.sub("\r?\n ", " ", email.message_from_bytes(octets)[header])
    decoded = email.header.make_header(email.header.decode_header(email.utils.parseaddr(raw)[0]))
    return words(decoded)


def check(case, octets):
    form(octets)
    mail = email.message_from_bytes(octets, policy=POLICY)
    names = [name for name in mail.keys() if name != "DKIM-Signature"]
    compare("headers", names, HEADERS if case["html"] is not None else HEADERS + ["Content-Transfer-Encoding"])
    for name in HEADERS:
        assert not mail[name].defects, f"{name}: {mail[name].defects}"
    (sender,) = mail["From"].addresses
    compare("the sender's name", phrase(octets, "From"), words(case["from_name"]))
    compare("the sender", sender.addr_spec, case["from"])
    (to,) = mail["To"].addresses
    compare("the name", phrase(octets, "To"), words(case["to_name"]))
    compare("the address", to.addr_spec, case["to"])
    compare("the subject", words(mail["Subject"]), words(case["subject"]))
    compare("the id", mail["Message-ID"], f"<{case['message_id']}>")
    compare("the unsubscribe link", mail["List-Unsubscribe"].split(",")[0], f"<{case['url']}>")
    assert mail["List-Id"].endswith(">"), mail["List-Id"]
    assert mail["Date"].datetime.timestamp() == case["time"], mail["Date"]
    if case["html"] is None:
        assert mail.get_content_type() == "text/plain"
        compare("the text", body(mail), lines(case["text"]))
        return
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    compare("the text", body(text), lines(case["text"]))
    compare("the HTML", body(html), lines(case["html"]))


def verify(octets, keys):
    signatures = octets.count(b"\r\nDKIM-Signature:") + octets.startswith(b"DKIM-Signature:")
    assert signatures == len(keys), f"{signatures} signatures"
    for number in range(signatures):
        verifier = DKIM(octets, minkey=1024)
        found = []

        def record(name, timeout=5):
            found.append(name.decode())
            return keys[name.decode().rstrip(".")].encode()

        assert verifier.verify(idx=number, dnsfunc=record), f"the signature {number} by {found} is not valid"


def main():
    checked = signed = size = 0
    with open(sys.argv[1], encoding="utf-8") as file:
        keys = json.loads(file.readline())
        for line in file:
            case = json.loads(line)
            octets = base64.b64decode(case["octets"])
            try:
                check(case, octets)
                checked += 1
                size += len(octets)
                if DKIM is not None and case["signed"]:
                    verify(octets, keys)
                    signed += 1
            except Exception as error:
                sys.stdout.buffer.write(octets[:4000])
                raise SystemExit(f"mail {checked + 1}: {type(error).__name__}: {error}") from error
    print(json.dumps({"checked": checked, "octets": size, "signed": signed if DKIM is not None else None}))


main()
