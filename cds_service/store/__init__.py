"""The memory: what was shown, what was done with it, and what therefore keeps quiet. No patient data in clear."""

from cds_service.store.engine import DEFAULT_URL, database_url
from cds_service.store.feedback import FeedbackEvent, OverrideReason
from cds_service.store.open_store import create_temporary_url, migrate_database, open_store
from cds_service.store.report import FeedbackReport, read_report
from cds_service.store.reviews import QuietFinding, ShownCard, ShownFinding, ShownReview
from cds_service.store.store import Store

__all__ = [
    "DEFAULT_URL",
    "FeedbackEvent",
    "FeedbackReport",
    "OverrideReason",
    "QuietFinding",
    "ShownCard",
    "ShownFinding",
    "ShownReview",
    "Store",
    "create_temporary_url",
    "database_url",
    "migrate_database",
    "open_store",
    "read_report",
]
