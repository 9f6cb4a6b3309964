"""Inputs that are almost right, and what flasheval is asked to do with them."""
