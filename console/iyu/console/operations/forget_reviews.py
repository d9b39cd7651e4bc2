"""Erase reviews chunk by chunk: each transaction is short, and a stop in between loses nothing."""

from collections.abc import Callable, Iterable, Iterator
from itertools import batched
from typing import Final

from sqlalchemy import Engine, text

from iyu.console.analysis.read_only_query import asked
from iyu.schemas.contract.errors import InputError
from iyu.schemas.erasure import Erased, forget_reviews
from iyu.schemas.erasure.traces import find_traces
from iyu.schemas.sql.engine import reading, writing

#: Reviews of one transaction.
AT_ONCE: Final = 500
