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

    def patient(self, client: str, fhir_server: str, patient_id: str) -> PatientDigest:
        """The patient with this id on this FHIR server of a client; "" where the client names no server.

        Without the key nobody can make it from the id. Two hospitals of one client may give the same id.
        """
        who = (client, fhir_server.rstrip("/"), patient_id)
        return PatientDigest(self._digest("patient", *who).hex(), self._digest("evidence", *who))

    def _digest(self, *parts: str) -> bytes:
        return hmac.digest(self.secret, json.dumps(parts).encode(), "sha256")
