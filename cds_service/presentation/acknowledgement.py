"""What keeps a finding quiet: it was answered with a reason, and nothing about it has changed (clinical-rules 0 no. 4).

A critical finding is never kept quiet, nor is one for which a list of the record could not be had.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from cds_service.presentation.render import Finding

DUE, OVERDUE = "due", "overdue"
# The rules that speak of one slot of the calendar: of which series, and whether its time has passed.
SLOT_RULES = {
    "liver-monitor-due": ("liver", DUE),
    "liver-monitor-overdue": ("liver", OVERDUE),
    "platelet-monitor-due": ("platelets", DUE),
    "platelet-monitor-overdue": ("platelets", OVERDUE),
}
# Grades of these rules that speak of a day being booked, not of whether the tests were done.
_BOOKING_GRADES = frozenset({"booking-fits", "booking-misses"})


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What was answered about one child: digests of findings, and of calendar slots that were done elsewhere.

    `key` is what the digests were made with; it is another one for every child.
    """

    key: bytes = field(default=b"", repr=False)
    findings: frozenset[str] = frozenset()
    slots: frozenset[str] = frozenset()

    def keeps_quiet(self, finding: Finding) -> bool:
        """Whether this finding need not be shown again."""
        if finding.urgency == "critical" or not finding.fingerprint or not (self.findings or self.slots):
            return False
        return evidence_digest(finding, self.key) in self.findings or slot_digest(finding, self.key) in self.slots


NOTHING_ACKNOWLEDGED = Acknowledged()


def evidence_digest(finding: Finding, key: bytes) -> str:
    """The finding with everything it rests on, as a keyed digest; "" where it can never be known to be unchanged."""
    return _digest(key, "finding", finding.fingerprint) if finding.fingerprint else ""


def slot_digest(finding: Finding, key: bytes) -> str:
    """The calendar slot that the finding says is due or overdue, as a keyed digest; "" where it speaks of none."""
    slot = finding.values.get("slot", "")
    if finding.rule_id not in SLOT_RULES or finding.grade in _BOOKING_GRADES or not slot or not finding.fingerprint:
        return ""
    series, _ = SLOT_RULES[finding.rule_id]
    return _digest(key, "slot", series, slot, finding.values.get("due_date", ""))


def _digest(key: bytes, *parts: str) -> str:
    return hmac.digest(key, "\n".join(parts).encode(), "sha256").hex()
