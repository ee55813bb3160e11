"""The benchmark: the whole stack under load from another process, beside a bare direct bridge."""
