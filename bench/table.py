"""Rows of text as a table for a terminal: pure."""

from collections.abc import Sequence

Cell = str | int | float | None
MISSING = "-"


def render(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The first column to the left, the others to the right, a line under the headings."""
    lines = [list(headings), *([shown(cell) for cell in row] for row in rows)]
    for line in lines:
        if len(line) != len(headings):
            raise ValueError(f"{len(line)} cells under {len(headings)} headings: {line}")
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    texts = [_line(line, widths=widths) for line in lines]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([texts[0], rule, *texts[1:]])


def shown(cell: Cell) -> str:
    """Whole numbers with separators; others with as many digits as can be trusted."""
    if cell is None:
        return MISSING
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.{1 if abs(cell) >= 100 else 2}f}"


def _line(cells: Sequence[str], *, widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
