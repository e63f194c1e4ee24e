"""Property tests of the domain."""

from __future__ import annotations

from hypothesis import settings

settings.load_profile("ci")  # the same examples on every run, and no deadline on a busy machine
