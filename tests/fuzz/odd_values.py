"""What stands in place of a value: numbers, dates, units, statuses and texts that records hold and should not.

A text between ‹ and › stands for JSON that no parsed value can hold; `with_raw_json` puts it in.
"""

from __future__ import annotations

import re
from typing import Any, Final

# In every text that we make up, so that it is known again in a log or a refusal.
MARK: Final = "Kanarie7q"

RAW: Final = {
    "nan": b"NaN",
    "infinity": b"-Infinity",
    "huge": b"1e999",
    "huge exponent": b"1E+400",
    "tiny": b"1e-400",
    "vast exponent": b"1e99999999999",
    "ten thousand digits": b"7" * 10_000,
    "long decimal": b"0." + b"3" * 5_000,
    "lone surrogate": b'"' + MARK.encode() + b'\\ud800"',
    "low surrogate": b'"\\udc00' + MARK.encode() + b'"',
    "null character": b'"' + MARK.encode() + b'\\u0000"',
    "bad escape": b'"\\x41"',
    "leading zero": b"007",
    "plus": b"+3.2",
    "hexadecimal": b"0x1F",
    "comment": b'1 /* one */',
    "single quotes": b"'3.2'",
    "python": b"None",
    "bare word": b"undefined",
    "invalid byte": b'"\xff\xfe"',
    "overlong": b'"\xc0\xaf"',
    "encoded surrogate": b'"\xed\xa0\x80"',
}  # fmt: skip
_RAW_TEXT = re.compile(rb'"\xe2\x80\xb9([a-z ]+)\xe2\x80\xba"')

NUMBERS: Final[tuple[Any, ...]] = (
    0, -1, 1, 2, 3.2, 19.3, 500, 1_000_000, 10**18, 2**63, 2**64 - 1, 1e-30, 1e30, -1e30, 0.1 + 0.2, 1.0000000000000002,
    "0", "-0", "3,2", "3.2", "1,000", "1.000,5", "1e3", "٣٫٢", "３．２", "½", "3.2 kg", "about 3", "NaN", "Infinity", "",
    "‹huge›", "‹huge exponent›", "‹tiny›", "‹vast exponent›", "‹ten thousand digits›", "‹long decimal›", "‹nan›",
)  # fmt: skip
DATES: Final[tuple[Any, ...]] = (
    "0001-01-01", "0000-00-00", "1582-10-10", "1899-12-31", "1900-02-29", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z",
    "2000-02-29", "2025", "2025-02", "2026-02-28", "2026-02-29", "2026-02-30", "2026-13-01", "2026-03-02",
    "2026-03-02T09:00:00Z", "2026-03-02T08:59:59.999999999Z", "2026-03-02T24:00:00Z", "2026-03-01T23:59:60Z",
    "2026-03-02T09:00:00+14:00", "2026-03-02T09:00:00-12:00", "2026-03-02T09:00:00+99:00", "2026-03-02T09:00:00-00:00",
    "2026-03-02T09:00", "2026-03-02T09:00:00", "2026-03-02 09:00:00Z", " 2026-03-02 ", "20260302", "02/03/2026", "2.3.2026",
    "2026-W10-1", "2026-061", "2038-01-19T03:14:08Z", "2262-04-12", "9999-12-31", "9999-12-31T23:59:59-12:00", "10000-01-01",
    "-0044-03-15", "+002026-03-02", "1772442000", 1772442000, 1772442000000, "２０２６-03-02", "2026-03-02T09:00:00Z UTC",
    "0001-01-01T00:00:00+14:00", "2026-3-2", "tomorrow", "",
)  # fmt: skip
UNITS: Final[tuple[str, ...]] = (
    "kg", "g", "mg", "[lb_av]", "lb", "lbs", "oz", "stone", "kgs", "KG", "Kg", " kg ", "ｋｇ", "k\u200bg", "mL", "ml", "ML", "cc",
    "L", "U/L", "IU/L", "[iU]/L", "u/l", "ukat/L", "µkat/L", "μkat/L", "mg/dL", "mg/dl", "umol/L", "µmol/L", "μmol/L", "g/L",
    "10*3/uL", "10*9/L", "x10^9/L", "K/uL", "10³/µL", "s", "sec", "ms", "min", "h", "d", "wk", "mo", "a", "{copies}", "{INR}",
    "1", "%", "vg", "{vg}", "vg/kg", "mg/kg", "mg/kg/d", "dyn/cm", "zorkmid", "",
)  # fmt: skip
STATUSES: Final[tuple[Any, ...]] = (
    "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown", "active",
    "on-hold", "completed", "stopped", "draft", "not-done", "in-progress", "planned", "arrived", "finished", "booked",
    "proposed", "revoked", "abandoned", "FINAL", " final", "final ", "Entered-In-Error", "ended", "masked", "error", "",
)  # fmt: skip
CODES: Final[tuple[str, ...]] = (
    "29463-7", " 29463-7", "29463-7 ", "29463‑7", "29463_7", "1742-6", "1920-8", "1975-2", "5902-2", "6301-6", "777-3", "2160-0",
    "718-7", "3141-9", "8302-2", "71894-120-02", "71894-0120-02", "0071894012002", "2479212", "8638", "G12.0", "G12", "Z23",
    "1234567-8", "", "*", "null", f"{MARK}'; DROP TABLE reviews;--",
)  # fmt: skip
SYSTEMS: Final[tuple[str, ...]] = (
    "http://loinc.org", "https://loinc.org", "http://loinc.org/", "LOINC", "urn:oid:2.16.840.1.113883.6.1", "http://snomed.info/sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm", "http://hl7.org/fhir/sid/ndc", "http://hl7.org/fhir/sid/icd-10-cm",
    "http://unitsofmeasure.org", f"urn:{MARK}", "",
)  # fmt: skip
TEXTS: Final[tuple[Any, ...]] = (
    f"{MARK}{{{{7*7}}}}", f"{MARK}{{% for x in range(9) %}}x{{% endfor %}}", f"<script>alert('{MARK}')</script>",
    f"<img src=x onerror={MARK}>", f"[{MARK}](javascript:alert(1))", f"**{MARK}** _x_ `y` # z", f"| {MARK} | x |\n|---|---|",
    f"![{MARK}](http://127.0.0.1/x.png)", f"\u202e{MARK}\u202c", f"\u200f{MARK}", f"{MARK}\u0000\u0007\u001b[31m", f"{MARK}\u2028\u2029",
    f"{MARK}\r\n\r\n- ALT: verified", f"{MARK} " * 3_000, "é" * 70_000, "\U0001f476" * 300, f"\ufeff{MARK}", f"{MARK}\ud7ff\ue000\uffff",
    "a\u0300" * 500, f"${{{MARK}}}", f"%s%n{MARK}", f"../../{MARK}", f"file:///etc/{MARK}", "onasemnogene", "ZOLGENSMA", "prednisolone",
    "", " ", "\t\n", "null", "‹lone surrogate›", "‹low surrogate›", "‹null character›", "‹bad escape›", "‹invalid byte›",
    "‹overlong›", "‹encoded surrogate›",
)  # fmt: skip
# What no reader can take for the value that stood there; words by which laboratories say that there is no result are
# none of these, because with them an older result counts.
UNREADABLE: Final[tuple[str, ...]] = (f"{MARK} illegible", "4O0", "#REF!", "\ufffd\ufffd\ufffd", "1..2")
# One value of each kind that JSON has, none of which says anything.
OTHER_KINDS: Final[tuple[Any, ...]] = (True, False, 7, "x", {"x": "x"}, ["x"], [[]], {"value": {"value": 1}})


def with_raw_json(written: bytes) -> bytes:
    """The text of a document with what no parsed value can hold in its places."""
    return _RAW_TEXT.sub(lambda match: RAW[match[1].decode()], written)
