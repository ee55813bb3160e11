"""`python -m bench.drawing [bench.json]`: puts a run's figures into docs/benchmark.md and draws its
picture. Both say which run they are of; nothing in them is written by hand.
"""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.page import Run, page
from bench.report import DIRECT, OURS, USUAL

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmark.md"
PICTURE = ROOT / "docs" / "pictures" / "benchmark.svg"

_SYSTEMS = {OURS: "#3b7dd8", DIRECT: "#8a8f98", USUAL: "#d9822b"}
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 230, 640, 9, 16, 54
_LEAST_MS, _MOST_MS = 0.1, 10_000.0


def picture(run: Run) -> str:
    """p50 to p99 of alert to order, by phase and system, on a logarithmic scale."""
    names = list(dict.fromkeys(each["phase"] for each in run["phases"]))
    bars: list[str] = []
    y = float(_TOP)
    for name in names:
        found = [each for each in run["phases"] if each["phase"] == name and each["order_ms"]]
        middle = y + len(found) * _BAR / 2 + 4
        bars.append(_text(_LEFT - 10, middle, name, anchor="end"))
        for each in found:
            bars.append(_bar(each, y=y))
            y += _BAR
        y += _GAP
    height = y + 20
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 40}"'
                f' height="{height:.0f}" font-family="sans-serif" font-size="12">'
            ),
            (
                "<style>text{fill:#57606a} line{stroke:#8a8f98;stroke-opacity:.35}"
                "@media(prefers-color-scheme:dark){text{fill:#b7bdc8}}</style>"
            ),
            _text(_LEFT, 16, "From the alert to the order at the exchange, p50 to p99, in ms"),
            *_legend(),
            *_grid(height=height),
            *bars,
            "</svg>",
            "",
        ]
    )


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms"


def _x(ms: float) -> float:
    share = math.log10(max(ms, _LEAST_MS) / _LEAST_MS) / math.log10(_MOST_MS / _LEAST_MS)
    return _LEFT + min(share, 1.0) * _WIDTH


def _bar(each: Run, *, y: float) -> str:
    left, right = _x(each["order_ms"]["p50"]), _x(each["order_ms"]["p99"])
    title = f"{each['system']}: {_ms(each['order_ms']['p50'])} to {_ms(each['order_ms']['p99'])}"
    return (
        f'<rect x="{left:.1f}" y="{y:.1f}" width="{max(right - left, 3):.1f}" height="{_BAR - 2}"'
        f' rx="2" fill="{_SYSTEMS[each["system"]]}"><title>{title}</title></rect>'
    )


def _legend() -> Sequence[str]:
    parts: list[str] = []
    for place, (name, colour) in enumerate(_SYSTEMS.items()):
        x = _LEFT + place * 110
        parts.append(f'<rect x="{x}" y="26" width="12" height="8" rx="2" fill="{colour}"/>')
        parts.append(_text(x + 17, 34, name))
    return parts


def _grid(*, height: float) -> Sequence[str]:
    lines: list[str] = []
    ms = _LEAST_MS
    while ms <= _MOST_MS:
        x = _x(ms)
        lines.append(f'<line x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - 20:.0f}"/>')
        lines.append(_text(x, height - 6, f"{ms:g}", anchor="middle"))
        ms *= 10
    return lines


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def main(arguments: Sequence[str]) -> int:
    run = json.loads(Path(arguments[0] if arguments else "bench.json").read_text())
    PAGE.write_text(page(PAGE.read_text(), run))
    PICTURE.write_text(picture(run))
    print(f"{PAGE.relative_to(ROOT)} and {PICTURE.relative_to(ROOT)} are of {run['machine']['at']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
