"""Reviews in: read, check, chunk, publish.

from producer import Producer

with Producer(source="shop") as producer:
    producer.submit("배송이 빨라서 좋았어요", review_id="4711")
"""

from producer.batch import Receipt
from producer.producer import Producer
from producer.readers import Format, read_rows

__all__ = ["Format", "Producer", "Receipt", "read_rows"]
