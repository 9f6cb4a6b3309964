"""The verbs of the command line, one file each; none of them knows Hydra."""

__all__: list[str] = []
