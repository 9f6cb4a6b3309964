"""The search methods, one file each; calling this package is calling `flasheval.search`.

The public function `flasheval.search` and this package share a name, and Python binds the package
to it as soon as any of its modules is imported. So the package passes a call on to the function:
`flasheval.search(scores, size=50)` works whatever was imported before.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flasheval.procedure import SearchResult

__all__: list[str] = []


class _CallableModule(ModuleType):
    """A module that can be called as the public function of its name."""

    def __call__(self, *args: Any, **settings: Any) -> SearchResult:
        """Search; see `flasheval.procedure.search`."""
        from flasheval.procedure import search

        return search(*args, **settings)


sys.modules[__name__].__class__ = _CallableModule
