"""How the published subsets are made and measured."""
