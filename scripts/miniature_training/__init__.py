"""The stages of training the miniature: one file each, run by `scripts/train_miniature.py`."""
