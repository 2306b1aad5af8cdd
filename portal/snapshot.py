"""A short name of the data that a page was made from: a quoted number can be found again."""

from portal.content import Content
from portal.data_rows import rows_of, snapshot_of


def snapshot(content: Content) -> str:
    """The name that ``data/results.json`` gives itself, and from which it can be computed.

    Neither the order of the results nor the look of the site changes it.
    """
    return snapshot_of(rows_of(content))
