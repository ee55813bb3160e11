"""What ends a benchmark with a sentence instead of a stack."""


class BenchError(Exception):
    """The benchmark cannot be run; the message says why."""
