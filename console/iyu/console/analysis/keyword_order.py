"""By which figure keywords are ranked; apart, so that `iyu keywords --help` needs no NumPy."""

from enum import StrEnum


class Order(StrEnum):
    """The figure that words are ranked by.

    A review that is quite certain has little gradient left, so its strongest words have little
    heat: `share` compares words with the others of their review, and finds them. `mean` and
    `total` are the figures of the view `keyword_importance`.
    """

    SHARE = "share"
    MEAN = "mean"
    TOTAL = "total"
