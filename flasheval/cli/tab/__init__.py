"""Tab completion: what Tab offers, the shells' scripts, and putting them in place."""

__all__: list[str] = []
