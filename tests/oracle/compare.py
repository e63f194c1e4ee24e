"""Compare the two calculations on random patients: python -m tests.oracle.compare [--patients N] [--seed S].

Prints how many patients were compared and every difference (patient, what, oracle, service); exit 1 on any.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from cds_service.domain.answers import Verdict
from cds_service.domain.certainty import Certainty
from cds_service.domain.days import days_from
from cds_service.domain.facts import PatientFacts
from cds_service.domain.intervals import Interval
from cds_service.domain.monitoring_calendar import MonitoringSlot, Series, SlotKind, SlotStatus
from cds_service.domain.quantities import rounded_half_up
from cds_service.domain.steroid_states import CourseState, CourseStatus

from . import calendar, dose, steroid, uln
from .patients import LIVER, PanelResult, Patient, patients
from .service import Service, SteroidAnswers

Answers = dict[str, object]
_TRUTH = {Certainty.TRUE: True, Certainty.FALSE: False, Certainty.UNKNOWN: None}
_FIRES = {Verdict.FIRES: True, Verdict.SILENT: False, Verdict.UNKNOWN: None, None: "no limit"}
_STATES = {
    CourseState.NONE: "S0",
    CourseState.ORDERED: "S1",
    CourseState.BEGUN: "S2",
    CourseState.COURSE: "S3",
    CourseState.DECIDE: "S4",
    CourseState.MAY_TAPER: "S5",
    CourseState.TAPER: "S6",
    CourseState.EXTENDED: "S7",
    CourseState.TAPER_HELD: "S8",
    CourseState.FINISHED: "S9",
    CourseState.INTERRUPTED: "SX",
    CourseState.UNKNOWN: "SU",
}


def differences(patient: Patient, service: Service) -> Iterator[tuple[str, object, object]]:
    """What the two say differently about a patient: the name of the value, the oracle's and the service's."""
    facts = service.facts(patient)
    for ours, theirs in (
        (_dose(patient), _service_dose(patient, facts, service)),
        (_multiple(patient), _service_multiple(patient, service)),
        _course_and_calendar(patient, facts, service),
    ):
        for name in ours.keys() | theirs.keys():
            if ours.get(name) != theirs.get(name):
                yield name, ours.get(name), theirs.get(name)


# --- dose


def _dose(patient: Patient) -> Answers:
    kg = dose.kilograms(patient.weight, patient.weight_unit)
    if kg is None:
        return {"kg": None}
    row, between = dose.row(kg), dose.between(kg)
    return {
        "kg": kg,
        "rounded kg": dose.rounded(kg),
        "row": row and (row.volume, row.ndc, row.small_vials, row.large_vials),
        "table": dose.table_grade(kg),
        "between": between and (between[0].ndc, between[1].ndc, between[2]),
    }


def _service_dose(patient: Patient, facts: PatientFacts, service: Service) -> Answers:
    kg = service.kilograms(patient.weight, patient.weight_unit)
    if kg is None:
        return {"kg": None}
    rounded = rounded_half_up(kg, service.known.policy["weight.rounding.step_kg"])
    band = service.known.doses.for_weight(rounded)
    table, between = service.weight_answers(facts)
    return {
        "kg": kg,
        "rounded kg": rounded,
        "row": band and (band.volume_ml, band.kit_ndc, band.small_vials, band.large_vials),
        "table": {"": "inside", "outside": "outside", "inside-after-rounding": "inside only after rounding"}[
            table.grade
        ],
        "between": None
        if between.verdict is not Verdict.FIRES
        else (between.shown["lower_ndc"], between.shown["upper_ndc"], between.grade == "near-switching-point"),
    }


# --- one result against its own limits


def _multiple(patient: Patient) -> Answers:
    spec = patient.result
    ranges = [uln.Range(r.high, r.unit, r.text, r.kind, r.from_age, r.to_age) for r in spec.ranges]
    unit = uln.stated_unit(spec.analyte, spec.unit, ranges)
    times = uln.times_uln(spec.analyte, spec.value, unit, ranges, spec.age, spec.comparator)
    by_flag = uln.by_flag(spec.analyte, spec.value, unit, spec.comparator, spec.flag)
    return {
        "times ULN": None if isinstance(times, str) else (times.comparator, times.quotient.quantize(Decimal("1E-12"))),
        "shown": "" if isinstance(times, str) else uln.shown(times.quotient),
        "> 2 x ULN": uln.above_twice(times, spec.flag, by_flag) if spec.analyte in uln.LIMITED else "no limit",
        "unremarkable": uln.is_unremarkable(spec.analyte, times, spec.flag, by_flag, unit),
    }


def _service_multiple(patient: Patient, service: Service) -> Answers:
    found = service.verdicts(patient.result)
    return {
        "times ULN": found.times and _with_comparator(found.times),
        "shown": found.shown.lstrip("<>≤≥ "),
        "> 2 x ULN": _FIRES[found.is_above_twice],
        "unremarkable": _TRUTH[found.is_unremarkable],
    }


def _with_comparator(times: Interval) -> tuple[str, Decimal]:
    if times.exact is not None:
        sign, bound = "=", times.exact
    elif times.low is not None:
        sign, bound = ">=" if times.low_included else ">", times.low
    else:
        assert times.high is not None
        sign, bound = "<=" if times.high_included else "<", times.high
    return sign, bound.quantize(Decimal("1E-12"))


# --- corticosteroid and calendar


def doses_of(patient: Patient) -> steroid.Doses:
    """mg a day by the orders, without the days recorded as not done."""
    doses: steroid.Doses = {}
    for step in patient.steps:
        for n in range((step.last - step.first).days + 1):
            day = step.first + timedelta(days=n)
            before = doses.get(day, Decimal(0))
            doses[day] = None if step.mg is None or before is None else before + step.mg
    return {day: mg for day, mg in doses.items() if day not in patient.not_done}


def labs_of(patient: Patient) -> list[uln.Lab]:
    """The liver results after the infusion, each with whether it is unremarkable."""
    return [
        uln.Lab(r.analyte, r.day, _is_fine(r), r.is_preliminary)
        for r in patient.panel
        if r.analyte in LIVER and r.day > patient.infusion
    ]


def _is_fine(result: PanelResult) -> bool | None:
    return uln.is_unremarkable(result.analyte, uln.Times(result.times), "")


def _course_and_calendar(patient: Patient, facts: PatientFacts, service: Service) -> tuple[Answers, Answers]:
    status = service.course(facts)
    assert status is not None
    doses, infusion, today = doses_of(patient), patient.infusion, patient.today
    labs = labs_of(patient)
    planned = steroid.course(doses, infusion, max((*doses, today)))
    end = planned.end_of_30 if planned else steroid.end_of_30(infusion - steroid.DAY, infusion)
    proof = uln.laboratory_part(labs, end - timedelta(days=3), today)
    abnormal = uln.laboratory_part(labs, date.min, today) is False
    given = patient.is_administration_recorded and today >= infusion - steroid.DAY
    state = steroid.state(doses, infusion, today, proof, abnormal, given)
    ours: Answers = {"state": state}
    theirs: Answers = {"state": _STATES[status.state]}
    if infusion <= today and planned is not None and status.first_day is not None:
        ours |= {
            "S": _d(planned.start, infusion),
            "E": _d(planned.end_of_30, infusion),
            "maintenance": planned.maintenance,
            "T0": _d(planned.taper_start, infusion),
            "last day": _d(planned.last, infusion),
            "longest gap": planned.longest_gap,
        }
        theirs |= {
            "S": _d(status.first_day, infusion),
            "E": _d(status.required_end, infusion),
            "maintenance": status.maintenance_mg,
            "T0": _d(status.taper_begins, infusion),
            "last day": _d(status.last_day, infusion),
            "longest gap": max((days_from(a[1], b[0]) - 1 for a, b in pairwise(status.runs)), default=0),
        }
        ours |= _alarms(planned, doses, infusion, today, state)
        theirs |= _service_alarms(status, service.steroid_answers(facts), today)
    found = service.calendar(facts)
    if found is None or infusion > today:
        return ours, theirs
    until, is_end = calendar.weekly_until(state, planned, labs, infusion, today)
    end_of_liver = calendar.follow_up_ends(infusion, until)
    liver = calendar.liver_slots(infusion, until, is_end, planned, labs, today)
    accepted = [(lab.day, lab.analyte) for lab in labs if not lab.preliminary]
    ours |= _rows("liver", liver, calendar.statuses(liver, calendar.P5, accepted, infusion, today), infusion)
    theirs |= _service_rows("liver", found.of(Series.LIVER), infusion)
    every = sorted((r.day, r.times) for r in patient.panel if r.analyte == "platelets")
    counts = [(day, count) for day, count in every if day > infusion]
    # A count of D itself is of before the infusion (6.2).
    baseline = [patient.baseline_count, *(count for day, count in every if day <= infusion)][-1]
    back = calendar.back_since(counts, baseline, Decimal(150), infusion)
    slots = calendar.platelet_slots(infusion, today, [day for day, _ in counts], back)
    taken = [(day, "platelets") for day, _ in counts]
    ours |= _rows("platelets", slots, calendar.statuses(slots, calendar.PLATELETS, taken, infusion, today), infusion)
    theirs |= _service_rows("platelets", found.of(Series.PLATELETS), infusion)
    rare = back is not None and today > calendar.months_after(infusion, 3)
    newest = max((day for day, _ in counts), default=None)
    ours["platelet gap"] = not rare and calendar.gap_overdue(infusion + timedelta(28), newest, today)
    theirs["platelet gap"] = any(gap.series is Series.PLATELETS for gap in found.gaps)
    ours["liver gap"] = (
        calendar.first_fine_panel(labs, end_of_liver, end_of_liver) is None if is_end else True
    ) and calendar.gap_overdue(until, calendar.last_panel(accepted), today)
    theirs["liver gap"] = any(gap.series is Series.LIVER for gap in found.gaps)
    return ours, theirs


def _alarms(planned: steroid.Course, doses: steroid.Doses, infusion: date, today: date, state: str) -> Answers:
    """Late start, a taper that is too short, and a stop that is abrupt, while each may still be said."""
    alarms: Answers = {}
    if today <= planned.end_of_30:
        alarms["start late"] = planned.start_late
    begins = planned.taper_start
    if state not in ("S9", "SU") and not any(mg is None for day, mg in doses.items() if begins and day >= begins):
        alarms["taper short"] = planned.taper_short and (
            "earlier" if (today - planned.last).days > steroid.TAPER_DAYS else planned.taper_short
        )
    if state == "SX":
        now = steroid.course(doses, infusion, today)
        alarms["abrupt"] = now is not None and now.abrupt
    return alarms


def _service_alarms(status: CourseStatus, answers: SteroidAnswers, today: date) -> Answers:
    alarms: Answers = {}
    if today <= status.required_end:
        alarms["start late"] = answers.start_late.grade in ("late-after-infusion", "not-given-day-before", "late")
    begins = status.taper_begins
    is_untold = any(d.mg is None and d.cover is not Certainty.FALSE for d in status.days if begins and d.day >= begins)
    if status.state not in (CourseState.FINISHED, CourseState.UNKNOWN) and not is_untold:
        grade = answers.taper_short.grade
        alarms["taper short"] = {"short": "warning", "far-too-short": "critical", "ended-earlier": "earlier"}.get(
            grade, ""
        )
    if status.state is CourseState.INTERRUPTED:
        alarms["abrupt"] = answers.taper_abrupt.verdict is Verdict.FIRES
    return alarms


def _rows(series: str, slots: list[calendar.Slot], statuses: list[str], infusion: date) -> Answers:
    return {
        f"{series} {_d(s.target, infusion)} slot": _written(infusion, s.opens, s.closes, s.due, s.overdue, status)
        for s, status in zip(slots, statuses, strict=True)
    }


def _service_rows(series: str, slots: tuple[MonitoringSlot, ...], infusion: date) -> Answers:
    return {
        f"{series} {_d(s.target, infusion)} slot": _written(
            infusion, s.opens, s.closes, s.due_from, s.overdue_from, _status(s)
        )
        for s in slots
        if s.kind is not SlotKind.EXTRA and s.overdue_from is not None
    }


def _written(infusion: date, opens: date, closes: date, due: date, overdue: date | None, status: str) -> str:
    days = [_d(day, infusion) for day in (opens, closes, due, overdue or date.max)]
    return f"{status} (window {days[0]} to {days[1]}, due {days[2]}, overdue {days[3]})"


def _d(day: date | None, infusion: date) -> str:
    """A day as counted from the infusion."""
    return "none" if day is None else f"D{(day - infusion).days:+}"


def _described(patient: Patient, name: str) -> str:
    """The part of the patient's record that a value rests on, in days from the infusion."""
    if name in ("kg", "rounded kg", "row", "table", "between"):
        return f"{patient.weight} {patient.weight_unit}"
    if name in ("times ULN", "shown", "> 2 x ULN", "unremarkable"):
        return str(patient.result)
    infusion = patient.infusion
    steps = ", ".join(f"{s.mg} mg {_d(s.first, infusion)} to {_d(s.last, infusion)}" for s in patient.steps)
    out = ", ".join(_d(day, infusion) for day in sorted(patient.not_done))
    wanted = "platelets" if name.startswith("platelets") else "liver"
    panel = " ".join(
        f"{r.analyte}={r.times}{'?' if r.is_preliminary else ''}@{_d(r.day, infusion)}"
        for r in patient.panel
        if (r.analyte == "platelets") == (wanted == "platelets")
    )
    return (
        f"D={infusion}, today {_d(patient.today, infusion)}, steroid [{steps}], not done [{out}], "
        f"administrations {'recorded' if patient.is_administration_recorded else 'not recorded'}, "
        f"baseline count {patient.baseline_count}, {wanted} [{panel}]"
    )


def _status(slot: MonitoringSlot) -> str:
    return "partial" if slot.status is SlotStatus.DUE and slot.is_partial else slot.status.value


# --- the command


def main(arguments: list[str] | None = None) -> int:
    """Compare and print; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20250202)
    parser.add_argument("--show", type=int, default=20, help="how many differences of each kind are printed")
    given = parser.parse_args(arguments)
    service, seen = Service(), Counter[str]()
    for patient in patients(given.patients, given.seed):
        for name, ours, theirs in differences(patient, service):
            kind = _kind(name)
            seen[kind] += 1
            if seen[kind] <= given.show:
                print(f"#{patient.number} {name}: oracle {ours}; service {theirs}; from {_described(patient, name)}")
    told = ", ".join(f"{kind} {count}" for kind, count in seen.most_common())
    print(
        f"{given.patients} patients of seed {given.seed} compared, {sum(seen.values())} differences{told and ': '}{told}"
    )
    return 1 if seen else 0


def _kind(name: str) -> str:
    """What the differences are counted by: a slot by its series."""
    return f"{name.split()[0]} slot" if name.endswith(" slot") else name


if __name__ == "__main__":
    sys.exit(main())
