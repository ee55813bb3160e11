"""The public side of the market: the tape, the depth, played prices and the clock. Nothing here
decides over orders or money; that is the engine's.
"""
