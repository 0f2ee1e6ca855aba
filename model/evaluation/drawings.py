"""Curves of a report as SVG. Only numbers go in, so that nothing needs to be escaped."""

from collections.abc import Sequence
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _EDGE = 480, 340, 60, 48, 26
_TICKS = 5
_LARGEST = 11.0  # radius of the point of the fullest bin
_SMALLEST = 3.0


class _Frame:
    """Places for shares in [0, 1] across and in [lowest, 1] up."""

    def __init__(self, lowest: float) -> None:
        self._lowest = lowest

    def at(self, x: float, y: float) -> str:
        """``x,y`` as SVG writes points."""
        return f"{self.across(x):.1f},{self.up(y):.1f}"

    def across(self, x: float) -> float:
        return _LEFT + x * (_WIDTH - _LEFT - _EDGE)

    def up(self, y: float) -> float:
        return _HEIGHT - _BOTTOM - (y - self._lowest) / (1 - self._lowest) * (_HEIGHT - _BOTTOM - _EDGE)

    def drawn(self, parts: Sequence[str], across: str, up: str, title: str) -> str:
        """The drawing with its axes."""
        lines, right, bottom = [], _WIDTH - _EDGE, _HEIGHT - _BOTTOM
        for i in range(_TICKS + 1):
            x, y = i / _TICKS, self._lowest + i / _TICKS * (1 - self._lowest)
            lines.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{self.up(y):.1f}" y2="{self.up(y):.1f}"/>')
            lines.append(f'<text x="{_LEFT - 8}" y="{self.up(y) + 4:.1f}" text-anchor="end">{100 * y:.0f} %</text>')
            lines.append(
                f'<text x="{self.across(x):.1f}" y="{bottom + 18}" text-anchor="middle">{100 * x:.0f} %</text>'
            )
        lines.append(f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{across}</text>')
        lines.append(
            f'<text x="14" y="{bottom / 2}" text-anchor="middle" transform="rotate(-90 14 {bottom / 2})">{up}</text>'
        )
        body = "\n".join([*lines, *parts])
        return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">\n{body}\n</svg>'


def reliability_drawing(bins: Sequence[dict[str, Any]]) -> str:
    """Accuracy by confidence, the larger the point the more rows; dashed, where both are equal."""
    frame, filled = _Frame(0.0), [found for found in bins if found["rows"]]
    most = max((found["rows"] for found in filled), default=1)
    points = [
        f'<circle class="point" cx="{frame.across(found["confidence"]):.1f}" cy="{frame.up(found["accuracy"]):.1f}" '
        f'r="{max(_SMALLEST, _LARGEST * (found["rows"] / most) ** 0.5):.1f}"><title>{found["rows"]} rows: confidence '
        f"{100 * found['confidence']:.1f} %, right {100 * found['accuracy']:.1f} %</title></circle>"
        for found in filled
    ]
    even = f'<polyline class="even" points="{frame.at(0, 0)} {frame.at(1, 1)}"/>'
    return frame.drawn([even, *points], "Mean confidence", "Right", "Accuracy by confidence")


def coverage_drawing(levels: Sequence[dict[str, Any]]) -> str:
    """Accuracy by the share of rows at least as confident as a threshold, with its interval."""
    known = [level for level in levels if level["accuracy"] is not None]
    ends = [level["accuracy_interval"] or [level["accuracy"]] * 2 for level in known]
    lowest = min((low for low, _ in ends), default=0.0)
    frame = _Frame(min(0.9, int(10 * lowest) / 10))
    shares = [level["coverage"] for level in known]
    band = [frame.at(x, low) for x, (low, _) in zip(shares, ends, strict=True)]
    band += [frame.at(x, high) for x, (_, high) in zip(reversed(shares), reversed(ends), strict=True)]
    line = [frame.at(level["coverage"], level["accuracy"]) for level in known]
    parts = [
        f'<polygon class="band" points="{" ".join(band)}"/>',
        f'<polyline class="line" points="{" ".join(line)}"/>',
    ]
    return frame.drawn(parts, "Decided without a person", "Right among these", "Accuracy by coverage")
