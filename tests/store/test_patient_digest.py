"""Patients are known by keyed digests only."""

from __future__ import annotations

from cds_service.store.patient_digest import DigestKey

KEY = DigestKey(bytes(range(32)))
SERVER = "https://ehr.example.org/fhir/r4"


def test_the_same_patient_of_the_same_client_is_the_same() -> None:
    assert KEY.patient("example-ehr", SERVER, "p-1") == KEY.patient("example-ehr", SERVER, "p-1")


def test_another_patient_another_client_or_another_key_makes_another_hash() -> None:
    hashes = {
        KEY.patient("example-ehr", SERVER, "p-1").patient_hash,
        KEY.patient("example-ehr", SERVER, "p-2").patient_hash,
        KEY.patient("other-ehr", SERVER, "p-1").patient_hash,
        DigestKey(bytes(32)).patient("example-ehr", SERVER, "p-1").patient_hash,
    }
    assert len(hashes) == 4


def test_the_same_id_on_another_server_of_the_client_is_another_patient() -> None:
    patients = {KEY.patient("example-ehr", server, "p-1") for server in (SERVER, "https://other.example.org/r4", "")}
    assert len({patient.patient_hash for patient in patients}) == 3
    assert len({patient.evidence_key for patient in patients}) == 3


def test_a_final_slash_makes_no_other_server() -> None:
    assert KEY.patient("example-ehr", f"{SERVER}/", "p-1") == KEY.patient("example-ehr", SERVER, "p-1")


def test_where_the_client_ends_and_the_patient_begins_makes_a_difference() -> None:
    assert KEY.patient("ehr-1", SERVER, "2").patient_hash != KEY.patient("ehr-", SERVER, "12").patient_hash


def test_the_key_of_the_evidence_is_not_what_is_kept() -> None:
    patient = KEY.patient("example-ehr", SERVER, "p-1")
    assert patient.evidence_key.hex() != patient.patient_hash


def test_neither_key_nor_patient_is_shown_by_a_representation() -> None:
    patient = KEY.patient("example-ehr", SERVER, "p-1")
    assert KEY.secret.hex() not in repr(KEY)
    assert str(patient.evidence_key) not in repr(patient)
    assert "p-1" not in repr(patient)
