"""Orders that wait at the exchange, and the stops and targets of positions: on accounts and symbols
of their own, so that the model of positions that market orders make need not know of them.
"""
