"""The page of a search: one HTML file without a network, and its plots as PNG beside it.

`origin` finds what it is made of; `scored`, `replay`, `agreement`, `ranks`, `ties`, `portrait`,
`contribution` and `pictures` gather what it shows; `draw_*` draw; `contents` puts it in order and
`writing` makes files of it.
"""

from flasheval.report.page.origin import Origin, find_origin
from flasheval.report.page.writing import WrittenPage, write_report

__all__ = ["Origin", "WrittenPage", "find_origin", "write_report"]
