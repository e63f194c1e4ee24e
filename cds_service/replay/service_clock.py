"""The clock of a running service, and the fixtures moved to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from cds_service.replay.answers import Told
from cds_service.web.fixture_requests import FIXTURE_DAY, moved_to

_FIXTURE_NOW = datetime.combine(FIXTURE_DAY, time(9), UTC)
_DAY = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?!\d)")
_TIME = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})")


@dataclass(frozen=True, slots=True)
class ServiceClock:
    """What a service takes for now, and the zone in which it counts days."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The service's day."""
        return self.now.astimezone(self.zone).date()

    @property
    def is_that_of_the_fixtures(self) -> bool:
        """Whether requests and answers need no moving."""
        return self.now == _FIXTURE_NOW and self.zone.key == "UTC"

    def moved_request(self, text: str) -> bytes:
        """A fixture request for this clock: days moved, and each time the same local time as in UTC before.

        A time in a zone of its own is written in that of the service, so that its local day stays the same.
        """
        return self._in_zone(moved_to(self.today, text)).encode()

    def moved_told(self, told: Told) -> Told:
        """What is expected, for this clock."""
        by = self.today - FIXTURE_DAY
        values = (
            (name, self._in_zone(_DAY.sub(lambda match: (date.fromisoformat(match[0]) + by).isoformat(), value)))
            for name, value in told.values
        )
        return replace(told, values=tuple(values))

    def _in_zone(self, text: str) -> str:
        return text if self.zone.key == "UTC" else _TIME.sub(lambda match: self._local(match[0]), text)

    def _local(self, written: str) -> str:
        return datetime.fromisoformat(written).astimezone(UTC).replace(tzinfo=self.zone).isoformat()
