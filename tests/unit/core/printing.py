"""How Go prints a text, for tests: each as the function of that name, held to Go's own output in test_redaction.py."""

import json
import textwrap

_NAMED = {7: r"\a", 8: r"\b", 9: r"\t", 10: r"\n", 11: r"\v", 12: r"\f", 13: r"\r", 34: r"\"", 92: r"\\"}


def go_quote(text: str) -> str:
    """`strconv.Quote`, which is `%q`; what can be printed is what Python says can be."""
    return _quoted(text, lambda char: char.isprintable())


def go_quote_to_ascii(text: str) -> str:
    """`strconv.QuoteToASCII`, which is `%+q`."""
    return _quoted(text, lambda char: char.isascii() and char.isprintable())


def go_json(text: str) -> str:
    """`json.Marshal`."""
    shown = json.dumps(text, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        shown = shown.replace(char, f"\\u{ord(char):04x}")
    return shown


def text_format(text: str) -> str:
    """A string in protobuf's text format, as gogo/protobuf's `String()` of a message has it."""
    named = {code: escape for code, escape in _NAMED.items() if code in b'\t\n\r"\\'}
    shown = (named.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}") for byte in text.encode())
    return f'"{"".join(shown)}"'


def yaml_block(text: str) -> str:
    """A block scalar of YAML, indented."""
    return f"|\n{textwrap.indent(text, '        ')}\n"


def _quoted(text: str, is_shown: object) -> str:
    assert callable(is_shown)
    return f'"{"".join(_escaped(char) if not is_shown(char) or char in _QUOTES else char for char in text)}"'


_QUOTES = '"\\'


def _escaped(char: str) -> str:
    code = ord(char)
    if code in _NAMED:
        return _NAMED[code]
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
