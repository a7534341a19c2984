"""Draws the figures of `benchmarks.scale` as bars, beside the earlier figures, for `make generate`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.saved import BEFORE, FOLDER, NOW, Figures, load

#: The title, the field of `Figures`, and the target for 1,000 Spouts.
PANELS = (
    ("CPU at rest, % of a core", "cpu", 1.0),
    ("reads of heads a minute, at rest", "reads", 200.0),
    ("memory over the base, KiB a Spout", "each", 15.0),
    ("a restart, s of CPU", "restart", 3.0),
)
WIDTH, HEIGHT, MARGIN = 330, 210, 34
BAR, GAP = 34, 8
OLD, NEW, INK, AIM = "#b8bec6", "#2f6fb3", "#24292f", "#c4432b"
AIM_AT = 1000


def files() -> Mapping[Path, str]:
    """Returns the picture of the saved figures, with the path of its file."""
    return {FOLDER / "scale.svg": picture(now=load(NOW), before=load(BEFORE))}


def picture(*, now: Sequence[Figures], before: Sequence[Figures]) -> str:
    """Returns an SVG with a panel for each figure. Each panel has a pair of bars for each number of Spouts."""
    width, height = 2 * WIDTH, 2 * HEIGHT + 30
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<g font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *_legend(height - 14),
    ]
    for number, (title, field, aim) in enumerate(PANELS):
        left, top = number % 2 * WIDTH, number // 2 * HEIGHT
        lines += [f'<g transform="translate({left} {top})">', *_panel(title, field, aim, now, before), "</g>"]
    return "\n".join([*lines, "</g></svg>"]) + "\n"


def _panel(title: str, field: str, aim: float, now: Sequence[Figures], before: Sequence[Figures]) -> Iterator[str]:
    old = {row.spouts: float(getattr(row, field)) for row in before}
    new = {row.spouts: float(getattr(row, field)) for row in now}
    top, floor = MARGIN + 16, HEIGHT - MARGIN
    # Each number of Spouts has its own scale, because the comparison is between before and now.
    yield f'<text x="16" y="{MARGIN - 12}" font-weight="bold">{title}</text>'
    for place, spouts in enumerate(sorted(new.keys())):
        left = 24 + place * (2 * BAR + GAP + 28)
        most = max(new[spouts], old.get(spouts, 0), aim if spouts == AIM_AT else 0) or 1
        for offset, value, colour in ((0, old.get(spouts), OLD), (BAR + GAP / 2, new[spouts], NEW)):
            if value is None:
                continue
            tall = max((floor - top) * value / most, 1)
            x, y = left + offset, floor - tall
            yield f'<rect x="{x:.0f}" y="{y:.1f}" width="{BAR}" height="{tall:.1f}" fill="{colour}"/>'
            yield f'<text x="{x + BAR / 2:.0f}" y="{y - 4:.1f}" text-anchor="middle">{_short(value)}</text>'
        if spouts == AIM_AT:
            y = floor - (floor - top) * aim / most
            yield f'<path d="M{left - 6} {y:.1f}h{2 * BAR + GAP + 12}" stroke="{AIM}" stroke-dasharray="4 3"/>'
        middle = left + BAR + GAP / 4
        yield f'<text x="{middle:.0f}" y="{floor + 16}" text-anchor="middle">{spouts:,} Spouts</text>'
    yield f'<path d="M16 {floor}h{WIDTH - 40}" stroke="{INK}"/>'


def _legend(y: int) -> Iterator[str]:
    for x, colour, text in ((16, OLD, "all heads read at each poll"), (220, NEW, "heads read when they are due")):
        yield f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 18}" y="{y}">{text}</text>'
    yield f'<path d="M430 {y - 4}h24" stroke="{AIM}" stroke-dasharray="4 3"/>'
    yield f'<text x="460" y="{y}">target for 1,000 Spouts</text>'


def _short(value: float) -> str:
    return f"{value:,.4g}"
