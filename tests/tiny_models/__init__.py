"""Small checkpoints with random weights, made on the spot to run everything on without a Hub."""
