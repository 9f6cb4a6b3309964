"""The version of flasheval; the project file reads it from here."""

__all__ = ["__version__"]

__version__ = "0.2.0"
