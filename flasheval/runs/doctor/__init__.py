"""Checking a run before it starts: whether everything it needs is there, and its cost."""
