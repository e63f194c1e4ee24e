"""Patients are known by keyed digests only."""

from __future__ import annotations

from cds_service.store.patient_digest import DigestKey

KEY = DigestKey(bytes(range(32)))


def test_the_same_patient_of_the_same_client_is_the_same() -> None:
    assert KEY.patient("example-ehr", "p-1") == KEY.patient("example-ehr", "p-1")


def test_another_patient_another_client_or_another_key_makes_another_hash() -> None:
    hashes = {
        KEY.patient("example-ehr", "p-1").patient_hash,
        KEY.patient("example-ehr", "p-2").patient_hash,
        KEY.patient("other-ehr", "p-1").patient_hash,
        DigestKey(bytes(32)).patient("example-ehr", "p-1").patient_hash,
    }
    assert len(hashes) == 4


def test_where_the_client_ends_and_the_patient_begins_makes_a_difference() -> None:
    assert KEY.patient("ehr-1", "2").patient_hash != KEY.patient("ehr-", "12").patient_hash


def test_the_key_of_the_evidence_is_not_what_is_kept() -> None:
    patient = KEY.patient("example-ehr", "p-1")
    assert patient.evidence_key.hex() != patient.patient_hash


def test_neither_key_nor_patient_is_shown_by_a_representation() -> None:
    patient = KEY.patient("example-ehr", "p-1")
    assert KEY.secret.hex() not in repr(KEY)
    assert str(patient.evidence_key) not in repr(patient)
    assert "p-1" not in repr(patient)
