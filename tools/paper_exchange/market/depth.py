"""The depth of a contract, for REST and the WebSocket alike, so that both count the same versions.
See `books` for what is in it.
"""

from decimal import Decimal

from tools.paper_exchange.market.books import MOST_LEVELS, Book, Commit, Row
from tools.paper_exchange.venue import Venue

ZERO = Decimal(0)


def depth_view(
    venue: Venue, symbol: str, limit: int = MOST_LEVELS
) -> tuple[list[Row], list[Row], int]:
    """Bids, asks (best first: price, contracts, number of orders) and the version."""
    book = _looked_at(venue, symbol)
    return book.bids[:limit], book.asks[:limit], book.version


def depth_commits(venue: Venue, symbol: str, count: int) -> list[Commit]:
    """The latest changes, newest first."""
    return list(reversed(_looked_at(venue, symbol).commits))[:count]


def repeat_best(venue: Venue, symbol: str) -> None:
    """Make a next version although nothing has changed; see `Book.repeat_best`."""
    _looked_at(venue, symbol).repeat_best()


def best_prices(venue: Venue, symbol: str) -> tuple[Decimal, Decimal]:
    """Best bid and best ask; zero where nobody offers."""
    book = _looked_at(venue, symbol)
    return (
        book.bids[0][0] if book.bids else ZERO,
        book.asks[0][0] if book.asks else ZERO,
    )


def _looked_at(venue: Venue, symbol: str) -> Book:
    book = venue.books.get(symbol)
    if book is None:
        # Versions go on growing over a restart.
        book = venue.books[symbol] = Book(version=venue.now_ms())
    book.look(venue.state, venue.contracts[symbol], changes=venue.tape.changes[symbol])
    return book
