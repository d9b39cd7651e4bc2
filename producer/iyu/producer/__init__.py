"""Reviews in: read, check, chunk, publish.

from iyu.producer import Producer

with Producer(source="shop") as producer:
    producer.submit("배송이 빨라서 좋았어요", review_id="4711")
"""

from iyu.producer.batch import Receipt
from iyu.producer.producer import Producer
from iyu.producer.readers.files import Format, read_rows

__all__ = ["Format", "Producer", "Receipt", "read_rows"]
