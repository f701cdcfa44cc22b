"""What one table says of another, what stands twice, what is missing: on a small set that is broken and a sound one.

An office closes forty cases. In the broken ones every third lacks what the question is about.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.loading import load_sources
from pipeline.runtime import Runtime
from tests.departments import Department
from tests.quality.sets.office import HOUR, ORGAN, START, Office, honest

CASES = 40
Broken = tuple[str, str]


@pytest.fixture
def office(runtime: Runtime) -> Office:
    made = Office(runtime.engine)
    for place in range(CASES):
        honest(made, place)
    made.run("UPDATE core.decision SET closing = TRUE, expects_document = TRUE, content = '准予许可 ' || record_id")
    return made


def licence(office: Office, place: int, *, case: str | None = None, identifier: str | None = None) -> None:
    issued = START + timedelta(days=place, minutes=11 * place)
    office.row(
        "credential", source_system_id=1, issuer=ORGAN, credential_type="licence", number=f"证{place}", version="1",
        identifier=identifier or f"1.2.156.3005.2.{place}", case_number=case or f"C{place}",
        document_number=f"许{place}", status="valid", valid_from=issued.date(), issued_at=issued,
        issued_at_precision="s", reported_at=issued + HOUR,
    )  # fmt: skip


def no_number_and_no_licence(office: Office) -> None:
    office.run("UPDATE core.decision SET document_number = NULL WHERE record_id % 3 = 0")


def licences_of_nobody(office: Office) -> None:
    for place in range(CASES):
        licence(office, place, case=f"X{place}" if place % 3 == 0 else None)


def licences_twice(office: Office) -> None:
    for place in range(CASES):
        licence(office, place, identifier=f"1.2.156.3005.2.{place - place % 2}")


def decisions_of_nobody(office: Office) -> None:
    office.run("UPDATE core.decision SET case_number = 'X' || case_number WHERE record_id % 3 = 0")


def numbers_twice(office: Office) -> None:
    office.run("UPDATE core.decision SET document_number = '许1' WHERE record_id % 3 = 0")


def no_organ(office: Office) -> None:
    office.run("UPDATE core.decision SET organ = NULL WHERE record_id % 3 = 0")


def silent_for_months(office: Office) -> None:
    office.run("UPDATE core.approval_case SET applied_at = applied_at - interval '200 days'")


def told_after_months(office: Office) -> None:
    office.run("UPDATE core.approval_case SET reported_at = applied_at + interval '60 days'")


BREAKING: list[tuple[Callable[[Office], None], str, Broken]] = [
    (no_number_and_no_licence, "decision", ("set_granted_without_credential", "document_number")),
    (licences_of_nobody, "credential", ("set_unknown_reference", "case_number")),
    (licences_twice, "credential", ("set_repeated", "identifier")),
    (decisions_of_nobody, "decision", ("set_unknown_reference", "case_number")),
    (numbers_twice, "decision", ("set_repeated", "document_number")),
    (no_organ, "decision", ("set_incomplete", "organ")),
    (silent_for_months, "approval_case", ("set_stale", "applied_at")),
    (told_after_months, "approval_case", ("set_told_late", "reported_at")),
]


def test_a_sound_office_breaks_none_of_them(office: Office) -> None:
    for place in range(CASES):
        licence(office, place)
    asked = {broken for _, _, broken in BREAKING}
    assert office.broken("approval_case", "decision", "credential") & asked == set()


@pytest.mark.parametrize(("breaking", "document", "broken"), BREAKING, ids=lambda said: getattr(said, "__name__", None))
def test_a_set_shows_what_is_broken(
    office: Office, breaking: Callable[[Office], None], document: str, broken: Broken
) -> None:
    breaking(office)
    assert broken in office.broken(document)


def test_a_licence_stands_for_the_number_that_a_decision_lacks(office: Office) -> None:
    no_number_and_no_licence(office)
    for place in range(CASES):
        licence(office, place)
    assert ("set_granted_without_credential", "document_number") not in office.broken("decision")


def test_a_decision_that_gives_no_document_needs_none(office: Office) -> None:
    no_number_and_no_licence(office)
    office.run("UPDATE core.decision SET expects_document = FALSE")
    assert ("set_granted_without_credential", "document_number") not in office.broken("decision")


def test_five_stages_are_asked_of_closed_promised_cases_of_systems_that_tell_them(
    office: Office, tmp_path: Path
) -> None:
    Department(tmp_path, "office")
    sources, missing = load_sources([tmp_path]), ("set_stages_missing", "stage")
    assert missing not in office.broken("approval_case", sources=sources), "all five stand"
    office.run("UPDATE core.case_overview SET review_first = NULL WHERE case_id % 3 = 0")
    assert missing in office.broken("approval_case", sources=sources)
    assert missing not in office.broken("approval_case"), "a system that does not tell stages is not asked for them"
    office.run("UPDATE core.approval_case SET case_kind = 'immediate'")
    assert missing not in office.broken("approval_case", sources=sources), "what is done at once has no five stages"


def test_an_item_that_no_register_has_is_an_unknown_reference(office: Office) -> None:
    unknown = ("set_unknown_reference", "item_code")
    office.run("UPDATE core.approval_case SET item_code = 'B1'")
    assert unknown not in office.broken("approval_case"), "no register has come: nobody can tell"
    office.put(
        "core.item_version", record_id=9_001, part=0, batch_id=1, content_hash=b"", base_code="B1",
        implementation_code="B1", version="1", name="事项",
    )  # fmt: skip
    assert unknown not in office.broken("approval_case")
    office.run("UPDATE core.approval_case SET item_code = 'B2' WHERE record_id % 3 = 0")
    assert unknown in office.broken("approval_case")
