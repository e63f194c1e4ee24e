"""The numbers of the card files under the policy of a site that a test names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from cds_service.domain.known import Known, Numbers


def under_policy(known: Known, changes: Mapping[str, object]) -> Known:
    """The same numbers, with these policy numbers changed."""
    described = {name: known.policy.described(name) for name in known.policy}
    changed = {name: replace(described[name], value=Decimal(str(value))) for name, value in changes.items()}
    return replace(known, policy=Numbers({**described, **changed})) if changed else known


def without_policy(known: Known, *names: str) -> Known:
    """The same numbers without some of the site's."""
    return replace(known, policy=Numbers({n: known.policy.described(n) for n in known.policy if n not in names}))
