"""Generators: everything that makes an image for a prompt, behind one protocol."""
