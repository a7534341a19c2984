"""The documents list what they promise to list, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from spout_operator.core.events import EventReason
from spout_operator.core.reasons import Reason

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(
            page
            for folder in ("charts", "deploy", "docs", "examples", "testbed")
            for page in (ROOT / folder).rglob("*.md")
        ),
    ]
)


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_leads_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize("reason", list(Reason))
def test_the_status_reference_explains_every_reason(reason: Reason) -> None:
    page = (ROOT / "docs" / "reference" / "status.md").read_text(encoding="utf-8")

    assert f"`{reason}`" in page


def test_the_events_reference_has_a_row_for_each_reason_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+)` \| (?:Normal|Warning) \|", page, re.MULTILINE) == [*map(str, EventReason)]


def test_the_source_root_is_not_a_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists(), "it would hide the standard library's operator"
