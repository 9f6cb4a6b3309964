"""From images to scores: every scorer behind one protocol."""
