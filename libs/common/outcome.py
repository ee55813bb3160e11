"""The three words in which a handler says how it ended badly; each is named for what its catcher
must do. `consuming.py` maps them to acknowledgement, retry or dead letter, and nothing else does.
"""


class Retry(Exception):  # noqa: N818 - an instruction to the catcher, not an error's name
    """Nothing irreversible happened: handle the same message again after `delay_s` seconds."""

    def __init__(self, reason: str, *, delay_s: float = 1.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay_s = delay_s


class Refuse(Exception):  # noqa: N818
    """The message can never succeed: write a dead letter and stop its redelivery."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unknown(Exception):  # noqa: N818
    """The exchange may have acted: ask until it is known, never send again blindly."""

    def __init__(self, reason: str, *, delay_s: float = 1.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay_s = delay_s
