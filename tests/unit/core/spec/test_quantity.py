"""Quantities: read as Kubernetes reads them, equal when their values are."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.spec.quantity import Quantity, cores


@dataclass(frozen=True)
class Form:
    """A way to write a quantity, and its value in the base unit."""

    text: str
    value: str
    reason: str


FORMS = [
    Form("1", "1", "no suffix: cores or bytes"),
    Form("0", "0", "nothing is an amount too"),
    Form("1.5", "1.5", "a fraction"),
    Form(".5", "0.5", "Kubernetes takes a number without its zero"),
    Form("5.", "5", "and one that ends in the point"),
    Form("+1", "1", "a sign is allowed"),
    Form("-1", "-1", "a sign is allowed"),
    Form("1n", "0.000000001", "nano"),
    Form("1u", "0.000001", "micro"),
    Form("1m", "0.001", "milli: m is not mega"),
    Form("1k", "1000", "kilo is the only small letter above one"),
    Form("1M", "1000000", "mega"),
    Form("1G", "1000000000", "giga"),
    Form("1T", "1000000000000", "tera"),
    Form("1P", "1000000000000000", "peta"),
    Form("1E", "1000000000000000000", "exa, not an exponent: no digits follow"),
    Form("1Ki", "1024", "kibi"),
    Form("1Mi", "1048576", "mebi"),
    Form("1Gi", "1073741824", "gibi"),
    Form("1Ti", "1099511627776", "tebi"),
    Form("1Pi", "1125899906842624", "pebi"),
    Form("1Ei", "1152921504606846976", "exbi"),
    Form("1e3", "1000", "an exponent"),
    Form("1E3", "1000", "an exponent, not exa"),
    Form("1.5e-1", "0.15", "a negative exponent"),
    Form("2e+2", "200", "an exponent with its sign"),
    Form("1.5Gi", "1610612736", "fractions take suffixes"),
    Form("9223372036854775807", "9223372036854775807", "the largest that Kubernetes keeps, 2^63-1"),
    Form(" 1 ", "1", "white space around it means nothing"),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: repr(form.text))
def test_every_form_has_its_value(form: Form) -> None:
    assert Quantity.parse(form.text).value == Decimal(form.value), form.reason


@dataclass(frozen=True)
class Refused:
    """A text that is no quantity."""

    text: str
    reason: str


REFUSED = [
    Refused("", "nothing was written"),
    Refused("m", "a suffix without a number"),
    Refused(".", "a point without a number"),
    Refused("1K", "kilo is a small k"),
    Refused("1ki", "kibi is a large K"),
    Refused("1mi", "there are no binary thousandths"),
    Refused("1MB", "Kubernetes has no B"),
    Refused("1 Gi", "no white space inside"),
    Refused("1,5", "the point is the decimal mark"),
    Refused("1e", "an exponent has digits"),
    Refused("1e3Mi", "an exponent or a suffix, not both"),
    Refused("1e3.5", "an exponent is whole"),
    Refused("--1", "one sign"),
    Refused("0x10", "not hexadecimal"),
    Refused("NaN", "decimal would read it, Kubernetes does not"),
    Refused("Infinity", "decimal would read it, Kubernetes does not"),
    Refused("1_000", "decimal would read it, Kubernetes does not"),
    Refused("true", "a YAML boolean is no amount"),
    Refused("\u0661", "digits of other scripts are none to Kubernetes"),
    Refused("1e9999999", "out of range is a wrong value, not a defect of the operator"),
    Refused("1e99999999999999999999999", "an exponent that decimal cannot even hold"),
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.reason)
@pytest.mark.parametrize("parse", [Quantity.parse, cores], ids=["quantity", "cores"])
def test_a_text_that_is_no_quantity_is_refused(parse: type, refused: Refused) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse(refused.text)

    assert repr(refused.text) in str(error.value), refused.reason


def test_the_refusal_shows_how_to_write_one() -> None:
    with pytest.raises(ValueError, match="for example 500m or 256Mi"):
        Quantity.parse("half a core")


@given(st.text("0123456789.+-eEnumkMGTPiK ", max_size=12))
def test_any_text_is_a_quantity_or_a_value_error(text: str) -> None:
    try:
        quantity = Quantity.parse(text)
    except ValueError:
        return
    assert quantity.value.is_finite()


@dataclass(frozen=True)
class Pair:
    """Two quantities; equal or not."""

    one: str
    other: str
    equal: bool
    reason: str


PAIRS = [
    Pair("0.1", "100m", equal=True, reason="cores in two ways"),
    Pair("1Gi", "1024Mi", equal=True, reason="bytes in two binary suffixes"),
    Pair("1G", "1000M", equal=True, reason="bytes in two decimal suffixes"),
    Pair("1e3", "1k", equal=True, reason="exponent and suffix"),
    Pair("1", "1.000", equal=True, reason="zeros add nothing"),
    Pair("1G", "1Gi", equal=False, reason="decimal and binary differ by 7%"),
    Pair("1m", "1M", equal=False, reason="milli is not mega"),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.one}~{pair.other}")
def test_quantities_are_compared_by_value(pair: Pair) -> None:
    one, other = Quantity.parse(pair.one), Quantity.parse(pair.other)

    assert (one == other) is pair.equal, pair.reason
    assert (len({one, other}) == 1) is pair.equal, "equal values have equal hashes"


numbers = st.integers(0, 10**9)


@given(numbers)
def test_milli_is_a_thousandth(number: int) -> None:
    assert Quantity.parse(f"{number}m") == Quantity.parse(str(Decimal(number) / 1000))


@given(numbers, st.sampled_from([("", "Ki"), ("Ki", "Mi"), ("Mi", "Gi"), ("Gi", "Ti"), ("Ti", "Pi"), ("Pi", "Ei")]))
def test_each_binary_suffix_is_1024_of_the_one_below(number: int, suffixes: tuple[str, str]) -> None:
    below, suffix = suffixes

    assert Quantity.parse(f"{number * 1024}{below}") == Quantity.parse(f"{number}{suffix}")


@given(numbers, st.sampled_from(["n u", "u m", "m ", " k", "k M", "M G", "G T", "T P", "P E"]))
def test_each_decimal_suffix_is_1000_of_the_one_below(number: int, suffixes: str) -> None:
    below, suffix = suffixes.split(" ")

    assert Quantity.parse(f"{number * 1000}{below}") == Quantity.parse(f"{number}{suffix}")


@given(numbers, st.sampled_from(["", "m", "k", "Mi", "e3"]))
def test_the_text_is_kept_as_written(number: int, suffix: str) -> None:
    assert Quantity.parse(f"{number}{suffix}").text == f"{number}{suffix}"


@dataclass(frozen=True)
class Rounding:
    """An amount of CPU, and the one that Kubernetes makes of it."""

    text: str
    rounded: str
    reason: str


ROUNDINGS = [
    Rounding("0.1", "100m", "thousandths stay as they are"),
    Rounding("1", "1", "and so do whole cores"),
    Rounding("0.0001", "1m", "less than a thousandth is a thousandth, not nothing"),
    Rounding("1n", "1m", "the smallest amount there is"),
    Rounding("1.0001", "1001m", "up, so that nobody gets less than asked for"),
    Rounding("1.0009", "1001m", "up"),
    Rounding("0", "0", "nothing stays nothing"),
    Rounding("1000k", "1000000", "large ones too"),
]


@pytest.mark.parametrize("row", ROUNDINGS, ids=lambda row: row.text)
def test_cores_are_rounded_up_to_thousandths(row: Rounding) -> None:
    rounded = cores(row.text)

    assert rounded == Quantity.parse(row.rounded), row.reason
    assert rounded.text == row.text, "the text is kept as written"


def test_cores_with_more_digits_than_can_be_rounded_are_refused() -> None:
    with pytest.raises(ValueError, match="1e30"):
        cores("1e30")


@given(st.decimals(0, 10**6, allow_nan=False, places=7))
def test_rounded_cores_are_at_most_a_thousandth_more(amount: Decimal) -> None:
    rounded = cores(f"{amount:f}")

    assert amount <= rounded.value < amount + Decimal("0.001")
    assert cores(str(rounded.value)) == rounded, "rounding twice is rounding once"
