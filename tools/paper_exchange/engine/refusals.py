"""A command that the exchange does not accept; nothing has changed when it is raised."""


class Refused(Exception):  # noqa: N818 - the venue's word for it, not a defect
    def __init__(self, code: int, **values: object) -> None:
        """`code` is MEXC's; `values` fill the placeholders of its message."""
        super().__init__(code)
        self.code = code
        self.values = values
