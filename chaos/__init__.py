"""The chaos suite: kills, stops and faults under load, and a verdict that shares no code with them.

It starts a stack of its own, so it never touches one that works.
"""
