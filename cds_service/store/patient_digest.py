"""Patients and evidence as keyed digests: enough to tell the same from another, and nothing to read (ADR 0023)."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PatientDigest:
    """One patient of one client: the hash that is kept, and the key of what is kept about this patient's evidence."""

    patient_hash: str
    evidence_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DigestKey:
    """The random key of this database; made once, by its first migration."""

    secret: bytes = field(repr=False)

    def patient(self, client: str, patient_id: str) -> PatientDigest:
        """The patient with this id at this client. Without the key nobody can make it from the id."""
        return PatientDigest(
            self._digest("patient", client, patient_id).hex(), self._digest("evidence", client, patient_id)
        )

    def _digest(self, *parts: str) -> bytes:
        return hmac.digest(self.secret, json.dumps(parts).encode(), "sha256")
