"""Stored reviews with their labels, to train on."""

from hashlib import sha256

import numpy as np
from sqlalchemy import Connection, select

from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.tables import labels, reviews
from iyu.worker.training.data import LabelledReviews


def read_labelled_texts(connection: Connection) -> LabelledReviews:
    """Return the present texts that have a label, in the order of their keys.

    Raises InputError where there is none.
    """
    lab, r = labels.c, reviews.c
    query = (
        select(r.source, r.review_id, r.text, lab.label)
        .join_from(
            labels,
            reviews,
            (r.source == lab.source)
            & (r.review_id == lab.review_id)
            & (r.text_hash == lab.text_hash),
        )
        .order_by(r.source, r.review_id)
    )
    rows = connection.execute(query).all()
    if not rows:
        raise InputError("no label of a stored review is here; run: iyu labels import FILE")
    digest = sha256()
    for row in rows:
        digest.update(f"{row.text}\0{row.label}\0".encode())
    return LabelledReviews(
        origin="stored labels",
        fingerprint=digest.hexdigest()[:16],
        ids=[f"{row.source}/{row.review_id}" for row in rows],
        texts=[row.text for row in rows],
        labels=np.array([row.label for row in rows], np.int8),
        rejected=0,
        held_out=len(rows),
        split="all to train on",
    )
