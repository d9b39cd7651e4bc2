"""Publish reviews with plain Celery: iyu need not be installed where this runs.

The message is described by schemas/iyu/schemas/contract/message.schema.json. Without the ledger
the guarantee is Redis's until a worker begins the message.
"""

import os
import uuid
from datetime import UTC, datetime

from celery import Celery

app = Celery(broker=os.environ["IYU_BROKER_URL"])
app.conf.task_serializer = "json"
app.conf.task_ignore_result = True

reviews = [["celery-1", "배우 연기가 최고예요"], ["celery-2", "돈이 아까운 영화"]]  # 1 to 512
chunk_id = str(uuid.uuid4())
app.send_task(
    "worker.tasks.score_chunk",
    args=[chunk_id, reviews],
    kwargs={"source": "example", "submitted_at": datetime.now(UTC).isoformat()},
    task_id=chunk_id,
    queue="reviews.live",
    argsrepr="",  # Celery would copy the reviews into a header, and from there into logs
)
app.close()
print(f"published {len(reviews)} reviews")
