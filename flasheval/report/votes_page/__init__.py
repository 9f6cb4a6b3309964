"""A page on which people vote: two images of one prompt side by side, without a network.

`pairs` says which variants meet on which prompt, `kept` finds a run's images, `shrinking` makes
them small enough, `gathering` puts them together and `writing` makes a file of them.
"""

from flasheval.report.votes_page.writing import write_votes_page

__all__ = ["write_votes_page"]
