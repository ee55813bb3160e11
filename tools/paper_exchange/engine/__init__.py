"""The exchange itself: pure, exact decimal code. `applying.apply(state, catalogue, command)` is the
only way to change a state; it knows no clock, no network and no randomness, so replaying the same
commands gives the same state.
"""
