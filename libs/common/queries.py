"""SQL is SQL: the statements of a file, by the names that stand above them."""

import re
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def named_queries(path: Path) -> dict[str, str]:
    """Each statement below its `-- name: word` line, its own comments included."""
    _, *parts = _NAME.split(path.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], (text.strip() for text in parts[1::2]), strict=True))
