"""Published subsets: finding them by name, checking them, and looking their prompts' texts up."""

from flasheval.published.finding import find_subset, load_subset
from flasheval.published.resolving import resolve

__all__ = ["find_subset", "load_subset", "resolve"]
