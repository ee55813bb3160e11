"""What all commands have in common."""

import msgspec


class JournaledCommand(
    msgspec.Struct, kw_only=True, frozen=True, tag=True, tag_field="command", omit_defaults=True
):
    """A line of the journal: with its time, and everything that was random."""

    at_ms: int
