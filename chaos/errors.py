"""What ends a run with a sentence instead of a stack."""


class ChaosError(Exception):
    """The run cannot be made or judged; the message says why."""
