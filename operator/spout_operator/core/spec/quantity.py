"""Kubernetes quantities (`500m`, `1.5`, `256Mi`, `1e3`), compared by value and kept as written."""

import dataclasses
import decimal
import re

_SUFFIXES = {
    "n": decimal.Decimal("1e-9"),
    "u": decimal.Decimal("1e-6"),
    "m": decimal.Decimal("1e-3"),
    "": decimal.Decimal(1),
    "k": decimal.Decimal(10) ** 3,
    "M": decimal.Decimal(10) ** 6,
    "G": decimal.Decimal(10) ** 9,
    "T": decimal.Decimal(10) ** 12,
    "P": decimal.Decimal(10) ** 15,
    "E": decimal.Decimal(10) ** 18,
    "Ki": decimal.Decimal(2) ** 10,
    "Mi": decimal.Decimal(2) ** 20,
    "Gi": decimal.Decimal(2) ** 30,
    "Ti": decimal.Decimal(2) ** 40,
    "Pi": decimal.Decimal(2) ** 50,
    "Ei": decimal.Decimal(2) ** 60,
}
# Kubernetes: apimachinery/pkg/api/resource/quantity.go, "the serialization format".
_FORM = re.compile(
    r"(?P<number>[+-]?(\d+(\.\d*)?|\.\d+))((?P<exponent>[eE][+-]?\d+)|(?P<suffix>[numkMGTPE]|[KMGTPE]i)?)", re.ASCII
)


_THOUSANDTH = decimal.Decimal("0.001")


@dataclasses.dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity; two are equal when their values are, however they are written.

    `value` is in the base unit (cores, bytes). `text` is as the user wrote it, which is what
    Pachyderm is sent: it parses Kubernetes quantities itself.
    """

    value: decimal.Decimal
    text: str = dataclasses.field(compare=False)

    @classmethod
    def parse(cls, text: str) -> "Quantity":
        """Read a quantity as Kubernetes does.

        Raises:
            ValueError: `text` is not a quantity.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is not a quantity; write it as Kubernetes does, for example 500m or 256Mi")
        try:
            number = decimal.Decimal(found["number"] + (found["exponent"] or ""))
            value = number * _SUFFIXES[found["suffix"] or ""]
        except decimal.DecimalException:
            raise ValueError(f"{text!r} is out of range") from None
        return cls(value=value, text=text.strip())


def cores(text: str) -> Quantity:
    """A CPU quantity, rounded up to thousandths as Kubernetes does: Pachyderm keeps it as a 32-bit float.

    Raises:
        ValueError: `text` is not a quantity.
    """
    exact = Quantity.parse(text)
    try:
        rounded = exact.value.quantize(_THOUSANDTH, rounding=decimal.ROUND_CEILING)
    except decimal.DecimalException:
        raise ValueError(f"{text!r} is out of range") from None
    return Quantity(value=rounded, text=exact.text)
