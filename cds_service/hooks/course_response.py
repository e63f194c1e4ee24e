"""A treatment course → the JSON that the timeline draws (docs/timeline.md). All words can be shown as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cds_service.domain.calendar_days import CalendarDay, CalendarPart, PartStatus
from cds_service.domain.facts import PatientFacts
from cds_service.domain.follow_up import body_waste_until
from cds_service.domain.monitoring_calendar import Gap, MonitoringCalendar, Series, SlotKind
from cds_service.domain.quantities import plain
from cds_service.domain.result_series import ResultSeries, Scale, SeriesPoint
from cds_service.domain.steroid_states import CourseState, CourseStatus
from cds_service.domain.steroid_timeline import PhaseSpan, PlannedDay, SteroidDay, SteroidTimeline
from cds_service.domain.suggested_steroid import per_kg_in_words
from cds_service.domain.treatment_course import InfusionPoint, InfusionState, TreatmentCourse
from cds_service.presentation import Catalogue, one_line
from cds_service.presentation.catalogue import CourseLine, SectionedText
from cds_service.presentation.words import OurWords

Json = dict[str, Any]
_SIGNS = {"": "", "<": "< ", "<=": "≤ ", ">": "> ", ">=": "≥ "}


@dataclass(frozen=True, slots=True)
class CourseWriter:
    """Writes the timeline's JSON with the words of the card files."""

    catalogue: Catalogue

    def nothing(self, *, has_died: bool = False) -> Json:
        """The answer where there is no course to show."""
        words = self._say("has_died" if has_died else "concerns_nothing")
        return {"concerns": False, "words": words, "notReviewed": self._say("not_reviewed")}

    def course(self, course: TreatmentCourse, facts: PatientFacts, cards: list[Json]) -> Json:
        """The whole answer; `cards` are those that the opened chart shows."""
        identity = self.catalogue.identity
        written: Json = {
            "concerns": True,
            "today": course.today.isoformat(),
            "notReviewed": self._say("not_reviewed"),
            "label": {"name": identity.product, "revision": identity.revision, "url": identity.url},
            "infusion": self._infusion(course.infusion, course.today),
            "dayNumber": course.day_number,
            "isOver": course.is_over,
            "span": {"from": course.first_day.isoformat(), "to": course.last_day.isoformat()},
            "steroid": self._steroid(course.steroid),
            "slots": [self._slot(day) for day in course.days],
            "gaps": list(self._gaps(course)),
            "slotNotes": list(self._further_tests(course.calendar)) if course.calendar and not course.is_over else [],
            "series": list(self._all_series(course.series)),
            "lines": [self._line(line) for line in self.catalogue.course.lines],
            "cards": cards,
            "summary": self._summary(course, facts),
            "words": self._legends(course),
        }
        return _without_absent(written)

    def _legends(self, course: TreatmentCourse) -> Json:
        texts = self.catalogue.course
        page = dict(texts.page)
        if not course.has_all_results:
            page["noResults"] = self._say("no_result_seen")
        named = {"phases": texts.phases, "slotStates": texts.slot_states, "doseSources": texts.dose_sources}
        return {**page, **{name: dict(words) for name, words in named.items()}, "parts": dict(texts.parts)}

    # --- infusion and corticosteroid

    def _infusion(self, infusion: InfusionPoint, today: date) -> Json:
        words = self.catalogue.course.infusion[infusion.state.value].plain.render(
            day=infusion.day,
            other_day=infusion.other_day,
            is_past=infusion.day is not None and infusion.day < today,
            is_dose=bool(infusion.evidence),
        )
        return _without_absent(
            {
                "state": infusion.state.value,
                "day": _iso(infusion.day),
                "otherDay": _iso(infusion.other_day),
                "words": words,
                "references": [one_line(item.reference) for item in infusion.evidence] or None,
            }
        )

    def _steroid(self, steroid: SteroidTimeline) -> Json:
        plan = sorted(steroid.plan, key=lambda item: item.day)
        return {
            "state": self._state(steroid.status),
            "days": [self._steroid_day(day) for day in steroid.days],
            "phases": [self._phase(span) for span in steroid.phases],
            "plan": [self._planned_day(item) for item in plan],
        }

    def _state(self, status: CourseStatus | None) -> Json:
        texts = self.catalogue.course
        if status is None:
            return {"code": texts.state_codes["unknown"], "name": "unknown", "words": self._say("no_state")}
        name = status.state.value
        lacks = self.catalogue.phrases.missing[status.why] if status.why else ""
        words = self._say("state", state=OurWords(self.catalogue.phrases.course_states[name]), lacks=OurWords(lacks))
        return {"code": texts.state_codes[name], "name": name, "words": words}

    def _steroid_day(self, day: SteroidDay) -> Json:
        return _without_absent(
            {
                "day": day.day.isoformat(),
                "mg": None if day.mg is None else plain(day.mg),
                "mgPerKg": None if day.mg_per_kg is None else plain(day.mg_per_kg),
                "source": day.source.value,
                "phase": day.phase.value,
                "isSure": day.is_sure,
                "isPlanned": day.is_planned,
                "words": self._steroid_day_words(day),
                "references": [one_line(item.reference) for item in day.evidence] or None,
            }
        )

    def _steroid_day_words(self, day: SteroidDay) -> str:
        return self._say(
            "steroid_day",
            day=day.day,
            mg=None if day.mg is None else plain(day.mg),
            mg_per_kg=None if day.mg_per_kg is None else plain(per_kg_in_words(day.mg_per_kg, self.catalogue.known)),
            source=OurWords(self.catalogue.course.dose_sources[day.source.value]),
            is_covered=day.is_covered,
            is_sure=day.is_sure,
        )

    def _phase(self, span: PhaseSpan) -> Json:
        words = self._say(
            "phase",
            phase=OurWords(self.catalogue.course.phases[span.phase.value]),
            first=span.first_day,
            last=span.last_day,
            is_planned=span.is_planned,
        )
        days = {"from": span.first_day.isoformat(), "to": span.last_day.isoformat()}
        return {"phase": span.phase.value, **days, "words": words, "isPlanned": span.is_planned}

    def _planned_day(self, item: PlannedDay) -> Json:
        text = self.catalogue.course.plan[item.name]
        return _without_absent(
            {
                "id": item.name,
                "what": text.words,
                "day": item.day.isoformat(),
                "words": self._plan_words(item),
                "section": text.section or None,
                "basis": item.basis,
                "isAssumed": item.is_assumed,
            }
        )

    def _plan_words(self, item: PlannedDay) -> str:
        text = self.catalogue.course.plan[item.name]
        return self._say("steroid_plan", day=item.day, words=OurWords(text.words), section=text.section)

    # --- calendar

    def _slot(self, day: CalendarDay) -> Json:
        return _without_absent(
            {
                "id": day.name,
                "kind": day.kind.value,
                "target": day.target.isoformat(),
                "dayNumber": day.day_number,
                "from": day.opens.isoformat(),
                "to": day.closes.isoformat(),
                "overdueFrom": _iso(day.overdue_from),
                "isAssumed": day.is_assumed,
                "parts": [self._part(part) for part in day.parts],
                "words": self._slot_words(day),
                "section": self._slot_section(day),
                "basis": day.basis,
            }
        )

    def _slot_section(self, day: CalendarDay) -> str:
        texts = self.catalogue.course
        is_counts_alone = all(part.slot.series is Series.PLATELETS for part in day.parts)
        is_extra = day.kind is SlotKind.EXTRA
        if is_counts_alone and not is_extra:
            return self._say("platelets_section")
        return texts.slot_sections[day.kind.value]

    def _part(self, part: CalendarPart) -> Json:
        slot = part.slot
        return _without_absent(
            {
                "part": slot.series.value,
                "status": part.status.value,
                "statusWords": self.catalogue.course.slot_states[part.status.value],
                "missing": self._names(slot.missing),
                "on": sorted({item.day for item in slot.evidence if item.day}),
                "from": slot.opens.isoformat(),
                "to": slot.closes.isoformat(),
                "dueFrom": None if slot.kind is SlotKind.EXTRA else slot.due_from.isoformat(),
                "overdueFrom": _iso(slot.overdue_from),
                "isBooked": bool(slot.booked),
                "references": [one_line(item.reference) for item in (*slot.evidence, *slot.booked)] or None,
            }
        )

    def _slot_words(self, day: CalendarDay) -> str:
        texts = self.catalogue.course
        parts = [
            {
                "name": OurWords(texts.parts[part.slot.series.value]),
                "status": OurWords(texts.slot_states[part.status.value]),
                "missing": OurWords(", ".join(self._names(part.slot.missing))),
                "is_begun": bool(part.slot.present),
                "is_unknown": part.status is PartStatus.UNKNOWN,
                "is_booked_ahead": part.status is PartStatus.FUTURE and bool(part.slot.booked),
            }
            for part in day.parts
        ]
        return self._say(
            "slot",
            name=day.name,
            kind=OurWords(texts.slot_kinds[day.kind.value]),
            target=day.target,
            day_number=day.day_number,
            parts=parts,
            is_assumed=day.is_assumed,
        )

    def _gaps(self, course: TreatmentCourse) -> Iterator[Json]:
        if course.calendar is not None and not course.is_over:
            yield from (self._gap(gap, course) for gap in course.calendar.gaps)

    def _gap(self, gap: Gap, course: TreatmentCourse) -> Json:
        words = self._say(
            "gap",
            part=OurWords(self.catalogue.course.parts[gap.series.value]),
            last=gap.last_day,
            days=gap.days,
            allowed=gap.allowed,
            has_all_results=course.has_all_results,
        )
        return {"part": gap.series.value, "lastDay": gap.last_day.isoformat(), "days": gap.days, "words": words}

    def _names(self, analytes: Iterable[str]) -> list[str]:
        return [self.catalogue.phrases.analytes[analyte] for analyte in analytes]

    # --- results

    def _all_series(self, every: Iterable[ResultSeries]) -> Iterator[Json]:
        seen: dict[str, int] = {}
        for series in every:
            number = seen[series.analyte] = seen.get(series.analyte, 0) + 1
            series_id = series.analyte if number == 1 else f"{series.analyte}-{number}"
            yield self._series(series, series_id)

    def _series(self, series: ResultSeries, series_id: str) -> Json:
        name = self.catalogue.course.series[series.analyte]
        if series.test:
            name = self._say("series_of_test", name=OurWords(name), test=series.test)
        return {
            "id": series_id,
            "analyte": series.analyte,
            "name": name,
            "scale": series.scale.value,
            "unit": series.unit,
            "points": [self._point(point, series) for point in series.points],
        }

    def _point(self, point: SeriesPoint, series: ResultSeries) -> Json:
        result = point.result
        instant, why = result.measured.instant, self.catalogue.course.unknown.get(point.why, "")
        return _without_absent(
            {
                "day": _iso(result.measured.day),
                "at": None if instant is None else instant.isoformat(),
                "dayNumber": point.day_number,
                "value": point.value or None,
                "unit": series.unit if point.value else None,
                "written": one_line(result.written) or None,
                "range": one_line(result.limits.written) or None if result.limits else None,
                "comparator": point.comparator or None,
                "lln": point.low or None,
                "uln": point.high or None,
                "timesUln": (point.times_uln or None) if series.scale is Scale.TIMES_ULN else None,
                "state": point.reading.value,
                "status": one_line(result.evidence.status) or None,
                "isKnown": point.is_known,
                "counts": point.counts,
                "why": point.why or None,
                "unknownWords": why or None,
                "words": self._point_words(point, series, why),
                "test": one_line(result.evidence.name),
                "reference": one_line(result.evidence.reference),
            }
        )

    def _point_words(self, point: SeriesPoint, series: ResultSeries, why: str) -> str:
        result = point.result
        return self._say(
            "point",
            name=OurWords(self.catalogue.course.series[series.analyte]),
            written=result.written,
            range=result.limits.written if result.limits else "",
            sign=OurWords(_SIGNS[point.comparator]),
            times_uln=point.times_uln if series.scale is Scale.TIMES_ULN else "",
            day=result.measured.day,
            day_number=point.day_number,
            why=OurWords(why),
        )

    def _line(self, line: CourseLine) -> Json:
        number = line.number
        if number is None:
            at, basis, words = {"timesUln": "1"}, "label", line.words.plain.render()
        else:
            value = plain(number.value)
            at = {"timesUln": value} if line.scale == Scale.TIMES_ULN.value else {"value": value, "unit": number.unit}
            basis = number.provenance.value
            words = line.words.plain.render(value=number.value, unit=OurWords(number.unit), section=line.section)
        return _without_absent(
            {
                "series": list(line.series),
                "scale": line.scale,
                **at,
                "isAbove": line.is_above,
                "words": words,
                "section": line.section or None,
                "basis": basis,
            }
        )

    # --- the summary to print

    def _summary(self, course: TreatmentCourse, facts: PatientFacts) -> Json:
        texts = self.catalogue.course
        is_given = course.infusion.state in (InfusionState.GIVEN, InfusionState.PRESUMED)
        calls = [_with_section(text) for text in texts.when_to_call]
        return {
            "title": self._say("title", day_number=course.day_number, is_planned=not is_given),
            "infusion": self._infusion(course.infusion, course.today)["words"],
            "nextTests": list(self._next_tests(course)),
            "windows": self._say("windows"),
            "steroidPlan": list(self._steroid_plan(course)),
            "whenToCall": [*calls, *self._diapers(facts, is_given=is_given)],
            "sections": self._sections(course),
            "notReviewed": self._say("not_reviewed"),
        }

    def _next_tests(self, course: TreatmentCourse) -> Iterator[Json]:
        if course.calendar is None:
            yield {"words": self._say("no_calendar")}
            return
        if course.is_over:
            yield {"words": self._say("over")}
            return
        past = list(_parts(course.days, lambda part: part.is_past))
        ahead = list(_parts(course.days, lambda part: part.is_ahead))
        if past:
            yield {"day": course.today.isoformat(), "words": self._past_tests(past, course)}
        for day, parts in ahead:
            yield {"day": day.target.isoformat(), "slot": day.name, "words": self._next_test(day, parts, course)}
        yield from ({"words": words} for words in self._further_tests(course.calendar))
        if not past and not ahead and course.calendar.liver_ends is not None:
            yield {"words": self._say("no_test")}

    def _further_tests(self, calendar: MonitoringCalendar) -> Iterator[str]:
        """That liver tests go on beyond those with a day, where the end of the corticosteroid is not known (6.3)."""
        if calendar.liver_ends is None:
            yield self._say("more_liver_tests", three_months=calendar.three_months)

    def _past_tests(self, past: list[tuple[CalendarDay, list[CalendarPart]]], course: TreatmentCourse) -> str:
        """All overdue tests in one: they can be taken once, whatever days they were due on."""
        missing = dict.fromkeys(a for _, parts in past for part in parts for a in part.slot.missing)
        targets = [day.target for day, _ in past]
        tests = OurWords(", ".join(self._names(missing)))
        name = "overdue_tests" if course.has_all_results else "unknown_tests"
        return self._say(name, tests=tests, first=min(targets), last=max(targets))

    def _next_test(self, day: CalendarDay, parts: list[CalendarPart], course: TreatmentCourse) -> str:
        liver = [part.slot for part in parts if part.slot.series is Series.LIVER]
        status = course.steroid.status
        return self._say(
            "next_test",
            target=day.target,
            tests=OurWords(", ".join(self._names(analyte for part in parts for analyte in part.slot.missing))),
            opens=max(part.slot.opens for part in parts),
            closes=min(part.slot.closes for part in parts),
            is_booked=all(part.slot.booked for part in parts),
            is_due=any(part.status in (PartStatus.DUE, PartStatus.PARTIAL) for part in parts),
            is_end_check=bool(liver) and status is not None and day.target == status.required_end,
            may_move=any(slot.is_assumed for slot in liver),
            is_unknown=any(part.status is PartStatus.UNKNOWN for part in parts),
            is_plan_known=course.is_plan_known,
        )

    def _steroid_plan(self, course: TreatmentCourse) -> Iterator[str]:
        steroid = course.steroid
        yield self._say("steroid_state", state=OurWords(self._state(steroid.status)["words"]))
        if (today := steroid.on(course.today)) is not None:
            yield self._say("steroid_today", today=OurWords(self._steroid_day_words(today)))
        for item in sorted(steroid.plan, key=lambda planned: planned.day):
            if item.day >= course.today:
                yield self._plan_words(item)
        state = None if steroid.status is None else steroid.status.state
        if state is CourseState.INTERRUPTED:
            yield self._say("steroid_missing")
        if state is not CourseState.FINISHED:
            yield self._say("steroid_rule", taper_days=self.catalogue.known.label.whole("taper_days"))

    def _diapers(self, facts: PatientFacts, *, is_given: bool) -> Iterator[str]:
        known = self.catalogue.known
        until = body_waste_until(facts, known) if is_given else None
        if until is None or until >= facts.today:
            yield self._say("diapers", until=until, months=known.label.whole("shedding_months"))

    def _sections(self, course: TreatmentCourse) -> list[str]:
        texts = self.catalogue.course
        found = [text.section for text in (*texts.plan.values(), *texts.when_to_call)]
        found += [self._slot_section(day) for day in course.days]
        if course.calendar is not None and course.calendar.liver_ends is None:
            found += [texts.slot_sections[kind.value] for kind in (SlotKind.WEEKLY, SlotKind.LAST)]
        numbers = sorted({section for section in found if section}, key=lambda s: [int(part) for part in s.split(".")])
        revision = self.catalogue.identity.revision
        return [self._say("sections", revision=revision, sections=", ".join(numbers))]

    def _say(self, name: str, /, **shown: object) -> str:
        return self.catalogue.course.texts[name].plain.render(**shown)


def _parts(
    days: Iterable[CalendarDay], is_wanted: Callable[[CalendarPart], bool]
) -> Iterator[tuple[CalendarDay, list[CalendarPart]]]:
    """The days with a part that is wanted, and those parts."""
    for day in days:
        if parts := [part for part in day.parts if is_wanted(part)]:
            yield day, parts


def _with_section(text: SectionedText) -> str:
    return f"{text.words} ({text.section})" if text.section else text.words


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _without_absent(written: Mapping[str, Any]) -> Json:
    """The members that are known; what is not known is left out, never null."""
    return {name: value for name, value in written.items() if value is not None}
