"""`python -m flasheval` is the `flasheval` command."""

import sys

from flasheval.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
