"""The tables of `reproduce_flasheval.py`, one file each."""
