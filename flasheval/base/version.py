"""The version of flasheval, said here alone; the project file reads it from this line."""

__all__ = ["__version__"]

__version__ = "0.1.0"
