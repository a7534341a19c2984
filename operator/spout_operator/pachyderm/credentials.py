"""The files that let the operator in, checked when they are read: gRPC does not say what is wrong with them.

No message holds anything of what is in them.
"""

import codecs
import pathlib
import re
import ssl

from spout_operator.core.errors import Stalled
from spout_operator.core.reasons import Reason

#: The longest token file that is read, in bytes: etcd and pachd's own tokens are of some dozen, a JWT of some thousand.
LONGEST_TOKEN = 16 * 1024

_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLANKS = b" \t\r\n"
_CERTIFICATE = re.compile(rb"-----BEGIN (X509 )?CERTIFICATE-----[\x00-\x7f]*?-----END \1?CERTIFICATE-----")


def parse_token(file: pathlib.Path, content: bytes) -> str:
    """The token in the content of a token file, without the blanks and newlines around it.

    Raises:
        Stalled: Unauthorized, where it is not one line of visible ASCII. A person has to write the file anew.
    """
    wrong = _wrong_with_token(content)
    if wrong is not None:
        raise Stalled(
            Reason.UNAUTHORIZED,
            f"the token file {file} {wrong}; expected one line that holds the Pachyderm auth token and nothing else. "
            "It is read again when it changes",
        )
    return content.strip(_BLANKS).decode("ascii")


def _wrong_with_token(content: bytes) -> str | None:
    if len(content) > LONGEST_TOKEN:
        return f"is longer than {LONGEST_TOKEN // 1024} KiB"
    if content.startswith(_BYTE_ORDER_MARKS):
        return "begins with a byte order mark"
    token = content.strip(_BLANKS)
    if not token:
        return "is empty"
    if b"\n" in token or b"\r" in token:
        return f"holds {len(token.splitlines())} lines"
    if not token.isascii():
        return "holds letters outside ASCII"
    if b" " in token or b"\t" in token:
        return "holds a blank inside the line"
    return None if token.decode("ascii").isprintable() else "holds a control character"


def parse_authorities(file: pathlib.Path, content: bytes) -> bytes:
    """The content of a CA file, as gRPC takes it.

    Raises:
        Stalled: Unauthorized, where it holds no certificate, or one that cannot be read.
    """
    found = [match.group().decode("ascii") for match in _CERTIFICATE.finditer(content)]
    wrong = None if found else "holds no certificate"
    try:
        if found:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="\n".join(found))
    except ssl.SSLError:
        wrong = "holds a certificate that cannot be read"
    if wrong is not None:
        raise Stalled(
            Reason.UNAUTHORIZED,
            f"the CA file {file} {wrong}; expected certificates in PEM form, from -----BEGIN CERTIFICATE----- on. "
            "It is read again when it changes",
        )
    return content
