"""The kinds of defects, and one injected defect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from demo.model.words import Level


@dataclass(frozen=True, slots=True)
class DefectKind:
    """A kind of defect: who executes it (`level`), and the rule that it must raise at least once."""

    code: str
    level: Level
    rule: str
    note: str


@dataclass(frozen=True, slots=True)
class Defect:
    """One injected defect. `target` names the record to spoil: `case`, `undertake`, `decision`, `material` or empty.

    `day` is the day on which it is delivered.
    """

    kind: str
    department: str
    day: int
    case: str | None = None
    target: Literal["", "case", "undertake", "decision", "material"] = ""
    note: str = ""


def _kinds(level: Level, *rows: tuple[str, str, str]) -> list[DefectKind]:
    return [DefectKind(code, level, rule, note) for code, rule, note in rows]


KINDS: Mapping[str, DefectKind] = {
    kind.code: kind
    for kind in [
        *_kinds(
            "element",
            ("credit_code_check", "credit_code_invalid", "the applicant's credit code has a wrong check character"),
            ("resident_id_check", "resident_id_invalid", "the applicant's resident id has a wrong check character"),
            ("organisation_code_check", "organisation_code_invalid", "the applicant has an organisation code, wrong"),
            ("certificate_id_check", "certificate_id_invalid", "the certificate's identifier ends wrongly"),
            ("item_code_bad", "item_code_invalid", "the item's implementation code lost its last digit"),
            ("phone_bad", "phone_invalid", "the applicant's phone number has too few digits"),
            ("placeholder", "placeholder_value", "the applicant's name is 无 or 测试"),
            ("future_date", "future_time", "the undertaking is finished next year"),
            ("ended_before_started", "ended_before_started", "the undertaking ends before it starts"),
            ("validity_reversed", "valid_to_before_from", "the certificate is valid to before it is valid from"),
        ),
        *_kinds(
            "case",
            ("stage_order", "stage_order", "the review starts before the undertaking"),
            ("closed_before_accepted", "closed_before_accepted", "decided before the acceptance"),
            ("approve_without_review", "approve_without_review", "a promised case is approved without a review"),
            ("pause_end_without_start", "pause_end_without_start", "a special procedure has only its end"),
            ("pause_not_ended", "pause_not_ended", "the case is closed, its special procedure still runs"),
            ("due_before_acceptance", "due_before_acceptance", "the due date lies before the acceptance"),
            ("accepted_before_applied", "accepted_before_applied", "accepted an hour before the application"),
            ("time_shifted", "time_shifted", "accepted one or two seconds after the application"),
            ("batch_entered", "batch_entered", "all stages were entered in one minute, days after closing"),
            ("refusal_without_reason", "refusal_without_reason", "refused without a reason"),
            ("extension_without_approver", "extension_without_approver", "extended without an approver"),
            ("granted_without_credential", "granted_without_credential", "granted with neither number nor certificate"),
            ("closed_twice", "closed_twice", "two closing decisions with unlike outcomes"),
        ),
        *_kinds(
            "record",
            ("unknown_code_deciding", "unknown_code", "a code outside the list where it decides: quarantined"),
            ("unknown_code_other", "unknown_code", "a code outside the list elsewhere (channel, party kind): flagged"),
            ("required_missing", "schema_violation", "a required field other than key and parent is empty"),
            ("too_long", "schema_violation", "a text is longer than its field"),
            ("missing_key", "missing_key", "the key field is empty"),
            ("unreadable_version", "unreadable_version", "the version or update time cannot be read"),
            ("unreadable_date", "unreadable_value", "a time that is neither key nor version cannot be read"),
            ("orphan", "parent_missing", "an extra child record of a case that never comes: parked"),
        ),
        *_kinds(
            "resend",
            ("duplicate_changed", "version_conflict", "same key and version again, other content: quarantined"),
            ("older_version", "stale_version", "an older version after a newer one: stale"),
        ),
        *_kinds(
            "unit",
            ("truncated_file", "truncated_file", "day 1: cut short; day 2: the whole file again"),
            ("wrong_encoding", "wrong_encoding", "a file or row in another encoding than declared"),
            ("broken_row", "unreadable_record", "an extra row with the wrong number of fields"),
            ("field_added", "unknown_field", "one unit carries an undeclared field"),
            ("field_removed", "missing_field", "one unit lacks a declared, not required field"),
            ("total_mismatch", "total_mismatch", "the declared total is not what was sent"),
            ("volume_below", "volume_below", "far fewer rows than the declared bound"),
            ("hostile_input", "hostile_input", "an XML bomb or the like beside the honest files"),
            ("batch_checksum", "total_mismatch", "day 1: a batch has a wrong checksum and waits; day 2: the right one"),
            ("no_json_message", "unreadable_record", "a message is no JSON"),
            ("unlogged_value", "unreadable_record", "a change event lacks a value that the database did not log"),
            ("lost_number", "envelope_gap", "a numbered post of the department never comes"),
            ("lost_deletion", "unreadable_record", "a tombstone comes whose deletion never came"),
            ("silent_feed", "silent_feed", "day 2: the department's feed reports success and sends nothing at all"),
            ("half_record", "unreadable_version", "an answer of a service holds a record that broke off in its middle"),
        ),
        *_kinds(
            "set",
            (
                "limit_habit",
                "set_closed_on_limit",
                "due dates are written after the fact: each case closes on its last day",
            ),
            ("shift_habit", "set_time_shifted", "most applications were accepted a second or two after they were made"),
            ("batch_habit", "set_batch_entered", "cases are entered whole, days after they were closed"),
            ("placeholder_habit", "set_placeholder", "most opinions say 无 or 暂无"),
            ("hard_coded_habit", "set_hard_coded", "one opinion stands in all stages of all cases"),
            (
                "minute_habit",
                "set_same_minute",
                "the closing step of a quarter's cases is finished in one minute of its last day",
            ),
        ),
    ]
}
