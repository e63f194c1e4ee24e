"""The fields a log line may hold, and the shape of each. What is not listed here, or looks otherwise, is not written.

An allow-list by name alone would let a patient's name through under `reason`; by shape it is a word or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final

Shape = Callable[[object], bool]

_COUNT_LIMIT: Final = 10**9


def _text(pattern: str) -> Shape:
    shape = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and shape.fullmatch(value) is not None


def _count(value: object) -> bool:
    """A whole number that is not negative; a measured value is no count."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _COUNT_LIMIT


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _words(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(map(is_word, value))


def _word_by_word(value: object) -> bool:
    return isinstance(value, Mapping) and all(is_word(name) and is_word(said) for name, said in value.items())


# Letters with hyphens or underscores between them: our own names for things, never an id, a date or a number.
is_word: Final[Shape] = _text(r"[A-Za-z](?:[A-Za-z_-]{0,46}[A-Za-z])?")
# The same with digits in it, as in smn1-result: what an unknown answer lacked, by its name in the card files.
is_cause: Final[Shape] = _text(r"[A-Za-z](?:[A-Za-z0-9-]{0,46}[A-Za-z0-9])?")
_code_name: Final[Shape] = _text(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
# A web address whose path holds no digit, and so no id; a word; a time. Several stand with commas between them.
_TOLD: Final = r"(?:https?://[A-Za-z0-9.:-]{1,80}(?:/[A-Za-z_-]{1,48}){0,5}/?|[A-Za-z_-]{1,48}|[0-9]{1,9} seconds)"


def _ip_address(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(ip_address(value))
    except ValueError:
        return False


FIELDS: Final[Mapping[str, Shape]] = {
    # on every line
    "timestamp": _text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"),
    "level": is_word,
    "event": is_word,
    "correlation_id": _text(r"[0-9a-f]{32}"),
    "dropped": _count,
    # who asked what, and what came of it
    "service": _text(r"onasemnogene-[a-z-]{1,40}"),
    "client": _text(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}"),  # a name from the clients file, or several with + between
    "status": _count,
    "outcome": is_word,
    "reason": is_word,
    "cards": _count,
    "milliseconds": _count,
    "sent": _words,
    "lists": _word_by_word,
    "is_ours": _flag,
    "medications": _count,
    "unread_medications": _count,
    "selections": _count,
    "results": _count,
    "unknown_cards": _count,
    "reviews": _count,
    "waiting": _count,
    # who is let in, and where connections lead
    "told": _text(rf"{_TOLD}(?:,{_TOLD}){{0,9}}"),  # by a token whose signature was verified
    "address": _ip_address,
    # faults: which, and where in the code
    "fault": _code_name,
    "where": _text(r"[A-Za-z0-9_.<>-]{1,80}:\d{1,6}"),
    "library": _text(r"[A-Za-z0-9_]{1,40}"),
    "dependency": is_word,
    "operation": is_word,
    "items": _count,
    # the server's own processes
    "host": _text(r"[0-9A-Za-z.:-]{1,64}"),  # where we listen, or a name that led to an address not allowed
    "port": _count,
    "workers": _count,
    "threads": _count,
    "worker": _count,
    "pid": _count,
    "signal": is_word,
    "code": _count,
}
