"""The oracle itself: what it takes for a promise kept, for a word that something is unknown, and for no damage."""

from __future__ import annotations

from .asking import Reply
from .bases import COURSE, Base
from .promises import broken_promises

NO_COURSE = b'{"concerns":false,"words":"There is no course to show."}'


def test_a_course_that_does_not_concern_the_service_is_an_answer_whatever_query_is_written_behind_its_address() -> None:
    for query in ("", "?", "?patient=Patient/a/b"):
        asked = Base("course of an unrelated child", f"{COURSE}{query}")
        assert broken_promises(asked, Reply(200, "application/json", NO_COURSE, "")) == []
    hook = Base("call", "/cds-services/onasemnogene-patient-view")
    assert broken_promises(hook, Reply(200, "application/json", NO_COURSE, "")) == ["neither cards nor a course"]
