"""The search methods, one file each, behind the `Selector` protocol and one registry."""
