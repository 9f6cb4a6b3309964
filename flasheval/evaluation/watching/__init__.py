"""A folder of checkpoints watched: found, seen to be whole, loaded, evaluated once, ranked."""
