"""The one kind of error that ends `up` with a sentence for its user instead of a stack."""


class DevstackError(Exception):
    """Starting or keeping the stack failed; the message says what and, if known, the way out."""
