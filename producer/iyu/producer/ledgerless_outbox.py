"""Where chunks leave a producer without a ledger."""

from iyu.producer.attempts import attempts
from iyu.producer.batch import Batch
from iyu.schemas.broker.broker import Broker
from iyu.schemas.contract.errors import BrokerUnavailable
from iyu.schemas.contract.message import Chunk


class LedgerlessOutbox:
    """Publishes chunks and writes nothing down: what is published is as safe as the broker."""

    def __init__(self, broker: Broker, patience: float) -> None:
        self._broker = broker
        self._patience = patience

    def open(self, batch: Batch) -> None:
        """Do nothing: there is no row."""

    def send(self, batch: Batch, unsent: list[Chunk]) -> None:
        """Publish chunks, and take each off the list. Raises BrokerUnavailable, BrokerFull."""
        for chunk in tuple(unsent):
            for attempt in attempts(BrokerUnavailable, self._patience):
                with attempt:
                    self._broker.publish(chunk)
            del unsent[0]
            batch.count([chunk])

    def settle(self, batch: Batch, *, close: bool = False) -> None:
        """Do nothing: there is no row."""
