"""The status of a run, read from its folder: progress, speed and failures."""
