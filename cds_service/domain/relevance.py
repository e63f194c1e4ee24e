"""Whether a call concerns this service at all, once the record is read: the gate of clinical-rules C9.

The raw look before it only decides whether the record is worth reading.
"""

from __future__ import annotations

from cds_service.domain.days import add_months
from cds_service.domain.facts import ExposureKind, Moment, PatientFacts
from cds_service.domain.handling import VisitKind
from cds_service.domain.known import Known


def concerns_us(facts: PatientFacts, known: Known) -> bool:
    """Whether there is positive evidence that this call is about the product (rulings 10, 11, 13, 53)."""
    if concerns_the_product(facts):
        return True
    if facts.moment is Moment.DISPATCH:
        return bool(facts.unresolved_orders) and (bool(facts.open_orders) or bool(facts.exposures))
    is_open = bool(facts.open_orders or facts.background_drafts) or follows_infusion(facts, known)
    if facts.moment is Moment.BOOKING:
        return is_open and any(slot.is_proposed and slot.kind is VisitKind.VACCINATION for slot in facts.slots)
    if facts.moment is Moment.VISIT:
        return follows_infusion(facts, known)
    return is_open


def concerns_the_product(facts: PatientFacts) -> bool:
    """Whether the product itself is being ordered, dispatched, booked, or due to be infused at this visit."""
    if facts.moment is Moment.BOOKING:
        return bool(facts.proposed_infusions)
    return facts.may_be_infusion_day if facts.moment is Moment.VISIT else facts.names_product or bool(facts.drafts)


def follows_infusion(facts: PatientFacts, known: Known) -> bool:
    """Whether the product was given, or may have been, and its follow-up may still run (ruling 15)."""
    months = known.policy.whole("gate.after_infusion_months")
    given = [item for item in facts.exposures if item.kind is not ExposureKind.OTHER_PRODUCT]
    return any(item.given.day is None or add_months(item.given.day, months) >= facts.today for item in given)
