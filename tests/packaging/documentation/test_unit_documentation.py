"""The documents list what they promise to list."""

from pathlib import Path

import pytest

from spout_operator.core.reasons import Reason

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("reason", list(Reason))
def test_the_status_reference_explains_every_reason(reason: Reason) -> None:
    page = (ROOT / "docs" / "reference" / "status.md").read_text(encoding="utf-8")

    assert f"`{reason}`" in page


def test_the_source_root_is_not_a_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists(), "it would hide the standard library's operator"
