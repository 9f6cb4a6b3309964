"""What of a run is done, how fast it goes, what failed: read off its folder."""
