"""What an on-call engineer sees of the service: log lines, metrics, readiness, and an orderly end.

Plain objects that any part above may call. None of them ever holds a value of a patient's record.
"""

METRICS, READINESS, RESOURCES = "cds_metrics", "cds_readiness", "cds_resources"
