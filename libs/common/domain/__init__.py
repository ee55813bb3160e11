"""Pure decisions: no clock, no network, no randomness; those are arguments."""
