"""The stages of training the miniature: one file each, run by `train_miniature.py`."""
