"""Feedback JSON → events, read as a whole or refused as a whole (R-148 to R-155; ehr-reality trap 32)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from cds_service.errors import BadRequest
from cds_service.store import FeedbackEvent, OverrideReason
from cds_service.store.feedback import ACCEPTED, OVERRIDDEN

# As the specification names it, and as one large EHR does.
_OVERRIDE = ("overrideReason", "overrideReasons")
# Where that EHR puts a reason that its site has not mapped to one of ours.
_REASON_EXTENSION = "com.epic.cdshooks.feedback.overrideReason.reasonCategory"
_TIMESTAMP = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LEAP_SECOND = "60"
_UTC_WRITTEN = frozenset({"Z", "z", "+00:00", "-00:00"})

log = structlog.get_logger("hooks")


@dataclass(frozen=True, slots=True)
class FeedbackReader:
    """Reads feedback; knows which override reasons our cards offer, and whether the site keeps comments."""

    system: str
    codes: Collection[str]
    keeps_comments: bool

    def read(self, document: Mapping[str, Any]) -> tuple[FeedbackEvent, ...]:
        """The items of a feedback post. Raises BadRequest with the path of what is missing or of the wrong type."""
        items = document.get("feedback")
        if items is None:
            raise BadRequest("feedback is missing; send an object with the array feedback", "feedback")
        if not isinstance(items, list):
            raise BadRequest("feedback is not an array; send an array of feedback objects", "feedback")
        return tuple(self._event(item, f"feedback[{number}]") for number, item in enumerate(items))

    def _event(self, item: object, path: str) -> FeedbackEvent:
        if not isinstance(item, dict):
            raise BadRequest(f"{path} is not an object; send card, outcome and outcomeTimestamp", path)
        card = _text(item, "card", path)
        outcome = _text(item, "outcome", path)
        if outcome not in (ACCEPTED, OVERRIDDEN):
            raise BadRequest(f"{path}.outcome is unknown; send accepted or overridden", f"{path}.outcome")
        suggestions = _suggestions(item, f"{path}.acceptedSuggestions") if outcome == ACCEPTED else ()
        reasons, comment = self._override(item, path) if outcome == OVERRIDDEN else ((), "")
        return FeedbackEvent(
            card_uuid=_canonical(card),
            outcome=outcome,
            outcome_at=_instant(_text(item, "outcomeTimestamp", path), f"{path}.outcomeTimestamp"),
            reasons=reasons,
            suggestion_uuids=suggestions,
            comment=comment if self.keeps_comments else "",
        )

    def _override(self, item: Mapping[str, Any], path: str) -> tuple[tuple[OverrideReason, ...], str]:
        """The reasons and the comment; both may be absent (R-152). An array of reasons is more than was agreed."""
        name = next((name for name in _OVERRIDE if item.get(name) is not None), None)
        if name is None:
            return (), ""
        given, path = item[name], f"{path}.{name}"
        if isinstance(given, list):
            read = [self._reason_and_comment(one, f"{path}[{number}]") for number, one in enumerate(given)]
        else:
            read = [self._reason_and_comment(given, path)]
        reasons = tuple(dict.fromkeys(reason for reason, _ in read if reason is not None))
        return reasons, "\n".join(comment for _, comment in read if comment)

    def _reason_and_comment(self, given: object, path: str) -> tuple[OverrideReason | None, str]:
        if not isinstance(given, dict):
            raise BadRequest(f"{path} is not an object; send reason, userComment or both", path)
        if not given:
            log.info("override_reason_is_empty")
            return None, ""
        comment = given.get("userComment")
        if comment is not None and not isinstance(comment, str):
            raise BadRequest(f"{path}.userComment is not text; send text", f"{path}.userComment")
        return self._reason(given, path), comment or ""

    def _reason(self, given: Mapping[str, Any], path: str) -> OverrideReason | None:
        if given.get("reason") is not None:
            return self._coding(given["reason"], f"{path}.reason")
        if isinstance(extension := given.get("extension"), dict):
            category = extension.get(_REASON_EXTENSION)
            return OverrideReason(_REASON_EXTENSION, category if isinstance(category, str) else "", is_ours=False)
        return self._coding(given, path) if "code" in given else None

    def _coding(self, given: object, path: str) -> OverrideReason:
        """A reason. Without a system it is ours where the code is: the card that it is about offered that code."""
        if not isinstance(given, dict):
            raise BadRequest(f"{path} is not an object; send a Coding", path)
        code, system = _text(given, "code", path), given.get("system")
        if system is not None and not isinstance(system, str):
            raise BadRequest(f"{path}.system is not text; send the address of the code system", f"{path}.system")
        is_ours = code in self.codes and (system or self.system) == self.system
        return OverrideReason(system or "", code, is_ours)


def _text(parent: Mapping[str, Any], name: str, path: str) -> str:
    value = parent.get(name)
    if value is None:
        raise BadRequest(f"{path}.{name} is missing; send it", f"{path}.{name}")
    if not isinstance(value, str) or not value.strip():
        raise BadRequest(f"{path}.{name} is not text; send a non-empty string", f"{path}.{name}")
    return value


def _suggestions(item: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The suggestions that were taken, at least one (R-151)."""
    given = item.get("acceptedSuggestions")
    if not isinstance(given, list) or not given:
        raise BadRequest(f"{path} is no array with suggestions; send the id of each that was accepted", path)
    uuids = []
    for number, one in enumerate(given):
        if not isinstance(one, dict):
            raise BadRequest(f"{path}[{number}] is not an object; send the suggestion's id in it", f"{path}[{number}]")
        uuids.append(_canonical(_text(one, "id", f"{path}[{number}]")))
    return tuple(dict.fromkeys(uuids))


def _canonical(given: str) -> str:
    """A uuid as we write it; "" for anything else, which is none of ours and is not kept, for it could be anything."""
    try:
        return str(UUID(given.strip()))
    except ValueError:
        return ""


def _instant(written: str, path: str) -> datetime:
    """An RFC 3339 moment, in UTC (R-155). Another offset than UTC's is understood and logged."""
    match = _TIMESTAMP.fullmatch(written)
    if match is None:
        raise BadRequest(f"{path} is no RFC 3339 date and time; send 2020-12-11T00:00:00Z", path)
    if match["zone"] not in _UTC_WRITTEN:
        log.info("outcome_timestamp_is_not_utc")
    is_leap = match["second"] == _LEAP_SECOND
    second = "59" if is_leap else match["second"]
    zone = "+00:00" if match["zone"] in _UTC_WRITTEN else match["zone"]
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{match['minute']}:{second}.{fraction}{zone}").astimezone(UTC)
        return moment + timedelta(seconds=1) if is_leap else moment
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{path} is no moment of the calendar; send 2020-12-11T00:00:00Z", path) from error
