"""The token and the CA file are checked when they are read. An error never quotes their content."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spout_operator.core.errors import Stalled
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.credentials import LONGEST_TOKEN, parse_authorities, parse_token

FILE = Path("/var/run/secrets/pachyderm/token")
INSIDE = "s3cr3tT0ken"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bad:
    reason: str
    content: bytes
    says: str

    def __str__(self) -> str:
        return self.reason.replace(" ", "-")


BAD_TOKENS = [
    Bad(reason="nothing", content=b"", says="is empty"),
    Bad(reason="nothing but a newline", content=b"\n", says="is empty"),
    Bad(reason="nothing but blanks", content=b" \t\r\n ", says="is empty"),
    Bad(reason="two lines", content=f"{INSIDE}\n{INSIDE}\n".encode(), says="holds 2 lines"),
    Bad(reason="three lines of Windows", content=f"{INSIDE}\r\n\r\n{INSIDE}\r\n".encode(), says="holds 3 lines"),
    Bad(reason="a byte order mark", content=b"\xef\xbb\xbf" + INSIDE.encode(), says="begins with a byte order mark"),
    Bad(reason="UTF-16", content=INSIDE.encode("utf-16"), says="begins with a byte order mark"),
    Bad(reason="a letter outside ASCII", content=f"{INSIDE}ü".encode(), says="outside ASCII"),
    Bad(reason="a letter outside ASCII in Latin 1", content=f"ü{INSIDE}".encode("latin-1"), says="outside ASCII"),
    Bad(reason="a NUL", content=f"{INSIDE}\0".encode(), says="a control character"),
    Bad(reason="an escape sequence", content=f"\x1b[2J{INSIDE}".encode(), says="a control character"),
    Bad(reason="a deleted character", content=f"{INSIDE}\x7f".encode(), says="a control character"),
    Bad(reason="a blank inside", content=f"token {INSIDE}".encode(), says="a blank"),
    Bad(reason="a tab inside", content=f"token\t{INSIDE}".encode(), says="a blank"),
    Bad(reason="more than any token has", content=b"x" * (LONGEST_TOKEN + 1), says="is longer than 16 KiB"),
]


@pytest.mark.parametrize("bad", BAD_TOKENS, ids=str)
def test_a_token_file_that_holds_no_token_is_named_with_what_is_wrong(bad: Bad) -> None:
    with pytest.raises(Stalled) as caught:
        parse_token(FILE, bad.content)

    assert caught.value.reason is Reason.UNAUTHORIZED
    assert f"the token file {FILE} " in caught.value.message
    assert bad.says in caught.value.message
    assert "expected" in caught.value.message
    assert INSIDE not in caught.value.message


@pytest.mark.parametrize("around", ["{}", "{}\n", "{}\r\n", "{}\n\n", " {} \n"])
def test_white_space_around_a_token_is_ignored(around: str) -> None:
    assert parse_token(FILE, around.format(INSIDE).encode()) == INSIDE


def test_the_longest_token_is_taken() -> None:
    assert parse_token(FILE, b"x" * LONGEST_TOKEN) == "x" * LONGEST_TOKEN


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: text.encode(errors="replace")))
def test_whatever_a_file_holds_grpc_gets_one_word_of_visible_ascii_or_nothing(content: bytes) -> None:
    try:
        token = parse_token(FILE, content)
    except Stalled:
        return
    assert token
    assert all("!" <= char <= "~" for char in token)


BAD_AUTHORITIES = [
    Bad(reason="nothing", content=b"", says="holds no certificate"),
    Bad(reason="words", content=INSIDE.encode(), says="holds no certificate"),
    Bad(reason="bytes", content=b"\x30\x82\x01\xff\x00", says="holds no certificate"),
    Bad(
        reason="a key",
        content=f"-----BEGIN PRIVATE KEY-----\n{INSIDE}\n-----END PRIVATE KEY-----\n".encode(),
        says="holds no certificate",
    ),
    Bad(
        reason="a certificate without its end",
        content=f"-----BEGIN CERTIFICATE-----\n{INSIDE}\n".encode(),
        says="holds no certificate",
    ),
    Bad(
        reason="a certificate that is none",
        content=f"-----BEGIN CERTIFICATE-----\n{INSIDE}\n-----END CERTIFICATE-----\n".encode(),
        says="holds a certificate that cannot be read",
    ),
]


@pytest.mark.parametrize("bad", BAD_AUTHORITIES, ids=str)
def test_a_ca_file_that_holds_no_certificate_is_named(bad: Bad) -> None:
    with pytest.raises(Stalled) as caught:
        parse_authorities(FILE, bad.content)

    assert caught.value.reason is Reason.UNAUTHORIZED
    assert f"the CA file {FILE} {bad.says}" in caught.value.message
    assert INSIDE not in caught.value.message
