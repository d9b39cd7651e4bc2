"""Submit single reviews from Python, and find out which were rejected.

IYU_BROKER_URL and IYU_DATABASE_URL say where to.
"""

from iyu.producer import Producer, RejectedReview

REVIEWS = {
    "py-1": "배송이 빨라서 좋았어요",
    "py-2": "결말이 너무 지루했다",
    "py-3": "   ",  # rejected: nothing is left once it is trimmed
}

# One producer for the whole program: it may be shared between threads.
with Producer(source="example") as producer:
    for review_id, text in REVIEWS.items():
        try:
            producer.submit(text, review_id=review_id)
        except RejectedReview as error:
            print(f"rejected {error.review_id}: {error.reason}")
# Here every accepted review stands in the ledger: `close` has returned.
print("submitted")
