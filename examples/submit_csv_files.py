"""Submit every CSV file named on the command line, one batch a file; again is harmless.

python examples/submit_csv_files.py monday.csv tuesday.csv
"""

import sys
from collections.abc import Iterator

from iyu.producer import Producer, Queue, Rejection, read_rows


def show_rejection(rejection: Rejection) -> None:
    """Print what was rejected and why, never the text."""
    print(f"  rejected {rejection.review_id!r}: {rejection.reason}")


def batches(paths: list[str]) -> Iterator[str]:
    """Submit file by file; yield a line a file."""
    # The bulk queue: nobody waits for these, so live reviews overtake them.
    with Producer(source="example", queue=Queue.BULK) as producer:
        for path in paths:
            rows = read_rows(path, text_column="text", id_column="id")
            receipt = producer.submit_many(rows, origin=path, on_reject=show_rejection)
            yield f"{path}: {receipt.accepted} accepted, {receipt.rejected_total} rejected"


for line in batches(sys.argv[1:]):
    print(line)
