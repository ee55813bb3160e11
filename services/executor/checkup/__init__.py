"""The checkup of an account: gathering what can be known, and a pure judgement of it."""
