"""Read a table's changes once or for ever: hand over, erase, and only then move on.

Killed at any moment and run again, it reads the rows since its last position once more, and what
is here already is neither lost nor handed over again.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine

from iyu.console.ingest.decide import Plan, Reading, admit_rows, plan_page
from iyu.console.ingest.known_rows import Known, Memory, read_stored
from iyu.console.ingest.mirror import erase_gone
from iyu.console.ingest.positions import Place, read_position, save_position
from iyu.producer import Producer
from iyu.producer.readers.database_table import DatabaseTable, TableRow
from iyu.producer.readers.row_changes import Changed, go_back
from iyu.schemas.contract.errors import BrokerUnavailable, DatabaseUnavailable
from iyu.schemas.contract.review import Reason
from iyu.schemas.erasure.forget_all import forget_all
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.engine import reading, writing

#: Looks between two comparisons of all keys, with --follow and --mirror.
MIRROR_EVERY: Final = 6


@dataclass(slots=True)
class Counts:
    """What became of the rows that were read, in rows."""

    read: int = 0
    submitted: int = 0
    erased: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)

    @property
    def unchanged(self) -> int:
        """Rows that nothing had to be done about."""
        return max(0, self.read - self.submitted - self.erased - self.rejected.total())

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was done."""
        return not (self.submitted or self.erased or self.rejected)

    def add(self, other: "Counts") -> None:
        """Count another look, too."""
        self.read += other.read
        self.submitted += other.submitted
        self.erased += other.erased
        self.rejected += other.rejected


@dataclass(frozen=True, slots=True)
class Mirror:
    """Whether reviews without a row are erased, and however many they are."""

    wanted: bool = False
    force: bool = False


class Ingestion:
    """One table, read into one source."""

    def __init__(
        self,
        engine: Engine,
        table: DatabaseTable,
        producer: Producer,
        place: Place,
        overlap: timedelta,
        on_progress: Callable[[int], None] = lambda _rows: None,
    ) -> None:
        self._engine = engine
        self._table = table
        self._producer = producer
        self._place = place
        self._overlap = overlap
        self._on_progress = on_progress
        self._memory = Memory()
        with reading(engine) as connection:
            self._memory.load_pending(connection, place.source)

    def read_changes(self) -> Counts:
        """Read what changed since the last time. Raises DatabaseUnavailable, BrokerUnavailable."""
        counts = Counts()
        with reading(self._engine) as connection:
            watermark = read_position(connection, self._place)
        start = None if watermark is None else go_back(watermark, self._overlap)
        look: Reading | None = None
        for page in self._table.pages(start):
            look = look or self._look(page[0].changed, watermark)
            self._take(page, look, counts)
            watermark = self._move_on(watermark, page[-1].changed, look.there)
            self._on_progress(counts.read)
        return counts

    def erase_gone(self, mirror: Mirror) -> Counts:
        """Erase reviews whose rows are gone. Raises MirrorRefused, DatabaseUnavailable."""
        erased = erase_gone(self._engine, self._table, self._place.source, force=mirror.force)
        return Counts(erased=erased)

    def _look(self, like: Changed, watermark: Changed | None) -> Reading:
        with reading(self._engine) as connection:
            here = database_now(connection)
        return Reading(here, self._table.now(like), watermark)

    def _take(self, page: Sequence[TableRow], look: Reading, counts: Counts) -> None:
        rows = admit_rows(page)
        source = self._place.source
        with reading(self._engine) as connection:
            stored = read_stored(connection, source, [v.review_id for _, v in rows])
        plan = plan_page(rows, Known(self._memory, stored), look)
        self._carry_out(plan)
        counts.add(
            Counts(
                len(page),
                len(plan.submit),
                len(plan.erase),
                Counter(rejection.reason for rejection in plan.reject),
            )
        )

    def _carry_out(self, plan: Plan) -> None:
        if plan.submit or plan.reject:
            reviews = ((r.review_id, r.text, r.written_at) for r in plan.submit)
            origin = f"table {self._place.table}"
            self._producer.submit_many([*reviews, *plan.reject], origin=origin)
        forget_all(self._engine, self._place.source, plan.erase)
        for name, handled in plan.handled.items():
            self._memory.add(name, handled)

    def _move_on(
        self, watermark: Changed | None, read: Changed, there: Changed | None
    ) -> Changed | None:
        """Keep the latest change that was read; a time in the future counts as now.

        Otherwise one row with a wrong clock would hide all that change before its time has come.
        """
        reached = read if there is None else min(read, there)
        if watermark is not None and reached <= watermark:  # type: ignore[operator]
            return watermark
        with writing(self._engine) as connection:
            save_position(connection, self._place, reached)
        return reached


def ingest_once(ingestion: Ingestion, mirror: Mirror) -> Counts:
    """Read all changes, once. Raises what an Ingestion raises."""
    counts = ingestion.read_changes()
    if mirror.wanted:
        counts.add(ingestion.erase_gone(mirror))
    return counts


def follow_table(
    ingestion: Ingestion,
    mirror: Mirror,
    every: float,
    on_look: Callable[[Counts], None],
    on_down: Callable[[str], None],
) -> None:
    """Read changes every so many seconds, until interrupted; a side that is down is waited for.

    on_look: called after each look that did something. on_down: called once when a side fails.
    Raises MirrorRefused, InputError.
    """
    pause, look, is_down = threading.Event(), 0, False
    while True:
        try:
            is_due = mirror.wanted and look % MIRROR_EVERY == 0
            counts = ingest_once(ingestion, Mirror(is_due, mirror.force))
        except (DatabaseUnavailable, BrokerUnavailable) as error:
            if not is_down:
                on_down(str(error))
            is_down = True
        else:
            look, is_down = look + 1, False
            if not counts.is_quiet:
                on_look(counts)
        pause.wait(every)
