"""How long to wait before the next try: pure, so that a test needs no clock."""

FIRST_S = 0.1
LARGEST_S = 5.0


def next_delay_s(tried: int) -> float:
    """Seconds to wait after `tried` failed tries: 0.1 after the first, doubled up to 5."""
    return min(LARGEST_S, FIRST_S * 2.0 ** min(max(tried, 1) - 1, 10))
