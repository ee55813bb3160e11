"""Documents from files and standard input, and from options laid over them."""

import json
from typing import IO, Any

import click


def read_document(file: IO[str] | None) -> dict[str, Any]:
    """The JSON object in `file`; an empty one where there is no file."""
    if file is None:
        return {}
    try:
        # Numbers stay as they are written: the console reads decimals from strings too.
        document = json.load(file, parse_float=str)
    except ValueError as error:
        raise click.UsageError(f"{file.name} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise click.UsageError(f"{file.name} must hold one JSON object")
    return document


def laid_over(document: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The document with what was given as options; None and empty mean: not given."""
    return document | {name: value for name, value in given.items() if value not in (None, [], ())}
