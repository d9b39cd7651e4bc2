"""What cuts texts here, beside what each model was trained on."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from iyu.console.trust.verification.findings import Findings, Kind
from iyu.schemas.sql.tables import models
from iyu.worker.text import morphemes


def check_dictionaries(
    connection: Connection, versions: Collection[str], findings: Findings
) -> None:
    """Add the models whose manifest in `models` names another MeCab or dictionary than here."""
    here = morphemes.tokenizer_identity()
    query = select(models.c.model_version, models.c.manifest)
    for version, manifest in connection.execute(query.order_by(models.c.model_version)):
        there = manifest.get("tokenizer")
        if version in versions and there is not None and there != here:
            findings.add(
                Kind.DICTIONARY, model_version=version, trained_on=there, installed=dict(here)
            )
