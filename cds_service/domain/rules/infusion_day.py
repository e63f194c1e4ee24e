"""The hour of the infusion (clinical-rules groups C and J, label 2.1)."""

from __future__ import annotations

from cds_service.domain.answers import Answer, fires, silent
from cds_service.domain.facts import PatientFacts
from cds_service.domain.known import Known
from cds_service.domain.registry import rule


@rule
def infusion_line_checklist(facts: PatientFacts, known: Known) -> Answer:
    """Today is or may be the infusion day: the steps at the line, a reminder that is never marked done (2.1)."""
    return fires("reminder") if facts.may_be_infusion_day else silent()
