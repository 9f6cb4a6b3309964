"""Scorers: everything that gives an image a score for its prompt, behind one protocol."""
