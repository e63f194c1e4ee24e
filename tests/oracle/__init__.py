"""A second, independent calculation of what the service computes, from the label and clinical-rules alone.

Written before its author had seen the first. It reads nothing of ``cds_service`` and nothing of ``cards``; only
``compare`` knows both. Where the two differ, the label decides; docs/oracle.md keeps the list.
"""
