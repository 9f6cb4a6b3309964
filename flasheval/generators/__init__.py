"""From prompts to images: every kind of generator behind one protocol."""
