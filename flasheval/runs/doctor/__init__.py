"""What a run will cost, and whether all it needs is there, before it is begun."""
