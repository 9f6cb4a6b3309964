"""The ends of sweeps, one file a verb that sweeps, and the record of their finished jobs."""

__all__: list[str] = []
