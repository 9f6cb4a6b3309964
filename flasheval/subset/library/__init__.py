"""Published subsets: finding them by name, checking them, and looking their prompts' texts up."""

from flasheval.subset.library.finding import find_subset, load_subset
from flasheval.subset.library.resolving import resolve

__all__ = ["find_subset", "load_subset", "resolve"]
