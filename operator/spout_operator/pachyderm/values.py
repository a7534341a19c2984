"""Values in a pipeline's spec as somebody wrote them, brought to the model's: what cannot be read differs from all."""

from decimal import Decimal, DecimalException

from spout_operator.core.spec import fields
from spout_operator.core.spec.quantity import Quantity, cores


def quantity(text: str) -> Quantity | None:
    """An amount of memory or disk; None where there is none."""
    if not text:
        return None
    try:
        return Quantity.parse(text)
    except ValueError:
        return _unlike_any(text)


def cores_of(found: float) -> Quantity | None:
    """A number of cores; None for 0, which is the same as none."""
    if not found:
        return None
    try:
        # A 32-bit float: 0.1 arrives as 0.10000000149, so it is read back to thousandths.
        return cores(f"{Decimal(found).quantize(Decimal('0.001')).normalize():f}")
    except (ValueError, DecimalException):
        return _unlike_any(str(found))


def json_or_as_is(text: str) -> str:
    """A podPatch in canonical form, or as it is where it is no JSON."""
    try:
        return fields.canonical_json(text)
    except ValueError:
        return text


def _unlike_any(text: str) -> Quantity:
    """What somebody else wrote: it equals nothing that a Spout can ask for, and so is a difference."""
    return Quantity(value=Decimal(-1), text=text)
