"""What a run leaves behind and shows: tables, the plot, the run folder."""

__all__: list[str] = []
