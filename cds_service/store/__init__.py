"""The memory: what was shown, what was done with it, and what therefore keeps quiet. No patient data in clear.

Beside it what replicas share of each other's calls, in modules of their own.
"""

from cds_service.store.engine import DEFAULT_URL, database_url
from cds_service.store.feedback import FeedbackEvent, OverrideReason
from cds_service.store.open_store import (
    Database,
    migrate_database,
    open_store,
    prepare_database,
    prepare_temporary_database,
)
from cds_service.store.patient_digest import PatientDigest
from cds_service.store.report import FeedbackReport, read_report
from cds_service.store.reviews import QuietFinding, ShownCard, ShownFinding, ShownReview
from cds_service.store.store import Store

__all__ = [
    "DEFAULT_URL",
    "Database",
    "FeedbackEvent",
    "FeedbackReport",
    "OverrideReason",
    "PatientDigest",
    "QuietFinding",
    "ShownCard",
    "ShownFinding",
    "ShownReview",
    "Store",
    "database_url",
    "migrate_database",
    "open_store",
    "prepare_database",
    "prepare_temporary_database",
    "read_report",
]
