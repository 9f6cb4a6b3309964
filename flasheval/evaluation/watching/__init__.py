"""Watching a folder of checkpoints: each is found, checked, loaded, evaluated once and ranked."""
