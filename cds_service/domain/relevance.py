"""Whether, and how, a call concerns this service, once the record is read: the gate of clinical-rules C9.

The raw look before it only decides whether the record is worth reading.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from cds_service.domain.days import days_from
from cds_service.domain.exposure import is_infused
from cds_service.domain.facts import ExposureKind, Moment, PatientFacts
from cds_service.domain.follow_up import follows_infusion, given_days
from cds_service.domain.handling import VisitKind
from cds_service.domain.known import Known
from cds_service.domain.steroid_states import course_status

__all__ = ["Concern", "concern_of", "concerns_the_product", "follows_infusion"]


class Concern(Enum):
    """What a call is to us: it decides which rules are asked.

    PRODUCT: the product itself is ordered, dispatched, booked or about to be infused. BESIDE: a corticosteroid, a
    vaccine or an unresolved order in a child with the product. FOLLOW_UP: the chart, a visit, a discharge or an
    appointment of a child with the product. LONG_TERM: the chart of a child whose follow-up is over. NONE: not ours.
    """

    PRODUCT = "product"
    BESIDE = "beside"
    FOLLOW_UP = "follow-up"
    LONG_TERM = "long-term"
    NONE = "none"


def concern_of(facts: PatientFacts, known: Known) -> Concern:
    """What this call is to us, on positive evidence only (rulings 10, 11, 13, 15, 53)."""
    if concerns_the_product(facts):
        return Concern.PRODUCT
    match facts.moment:
        case Moment.ORDERING:
            is_open = bool(facts.open_orders or facts.background_drafts) or follows_infusion(facts, known)
            return Concern.BESIDE if is_open else Concern.NONE
        case Moment.DISPATCH:
            is_traced = bool(facts.unresolved_orders) and (bool(facts.open_orders) or bool(facts.exposures))
            return Concern.BESIDE if is_traced else Concern.NONE
        case Moment.VISIT:
            return Concern.FOLLOW_UP if follows_infusion(facts, known) else Concern.NONE
        case Moment.CHART:
            return _at_chart(facts, known)
        case Moment.DISCHARGE:
            return Concern.FOLLOW_UP if _is_discharge_after_infusion(facts, known) else Concern.NONE
    return _while_booking(facts, known)


def concerns_the_product(facts: PatientFacts) -> bool:
    """Whether the product itself is being ordered, dispatched, booked, or due to be infused at this visit."""
    match facts.moment:
        case Moment.BOOKING:
            return bool(facts.proposed_infusions)
        case Moment.VISIT:
            return facts.may_be_infusion_day
        case Moment.CHART | Moment.DISCHARGE:
            return False
    return facts.names_product or bool(facts.drafts)


def _at_chart(facts: PatientFacts, known: Known) -> Concern:
    if facts.open_orders or follows_infusion(facts, known):
        return Concern.FOLLOW_UP
    is_given = any(item.kind is not ExposureKind.OTHER_PRODUCT for item in facts.exposures)
    return Concern.LONG_TERM if is_given else Concern.NONE


def _is_discharge_after_infusion(facts: PatientFacts, known: Known) -> bool:
    """Whether the infusion was in this stay or so recently, or its corticosteroid still runs (section 4 L)."""
    allowed = timedelta(days=known.policy.whole("discharge.within_days"))
    began = facts.stay.began.day if facts.stay else None
    days = given_days(facts)
    if any(days_from(day, facts.today) <= allowed.days or (began is not None and began <= day) for day in days):
        return True
    if any(i.given.day is None and i.kind is not ExposureKind.OTHER_PRODUCT for i in facts.exposures):
        return True
    status = course_status(facts, known) if is_infused(facts) else None
    return status is not None and status.first_day is not None and status.is_running


def _while_booking(facts: PatientFacts, known: Known) -> Concern:
    kinds = {slot.kind for slot in facts.slots if slot.is_proposed}
    follows = follows_infusion(facts, known)
    if follows and VisitKind.FOLLOW_UP in kinds:
        return Concern.FOLLOW_UP
    is_open = follows or bool(facts.open_orders or facts.background_drafts)
    return Concern.BESIDE if is_open and VisitKind.VACCINATION in kinds else Concern.NONE
