"""The measures that rules are made of: each one statement over all cases in question, and what its basis may say.

A statement of scope `case` or `stage` selects `case_id, stage, round, moment, happened, over, facts`; one of scope
`month` `organ, month, moment, happened, over, facts`; one of scope `card` `card_id, happened, over, facts`. `moment` is
the instant up to which the case's feed must be complete before a yellow or red card may be sent; NULL where nothing can
still be on its way that would change the verdict. `happened` is compared with the day from which a rule judges, `over`
(when nobody could do anything about it any more; NULL while somebody can) with the day on which supervision began.
Statements read `sup_case` and `sup_stage` (the clocks as they stand), say `IN_SCOPE(column)` where they read tables of
all cases (`supervision.rules.scope`), and bind `:full` and the words of the basis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.findings import RULES
from sharedrepo.models.overview import STAGES

NOW: Final = "supervision.instant()"
TODAY: Final = f"date_trunc('day', {NOW} AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'"
"""The beginning of the province's day: so far a feed must be complete before a threshold is held against anybody."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: its statement a scope, the words its basis takes, and whether what it found stays found.

    `lasting` findings can only vanish when facts are corrected: a card over them is then marked as contradicted.
    """

    statements: Mapping[str, str]
    numbers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lasting: bool = False

    def faults(self, basis: Mapping[str, Any]) -> list[str]:
        """Say everything that is wrong with a basis of this measure."""
        known = {"measure", *self.numbers, *self.words, *self.lists}
        faults = [f"the basis says {name[:40]!r}, which is not known" for name in basis if name not in known]
        faults += [f"the basis must say {name}" for name in sorted(known - set(basis))]
        for name, (least, most) in self.numbers.items():
            said = basis.get(name)
            if name in basis and not (type(said) is int and least <= said <= most):
                faults.append(f"{name} is a whole number from {least} to {most}")
        for name, choices in self.words.items():
            said = basis.get(name)
            if name in basis and not (isinstance(said, str) and said in choices):
                faults.append(f"{name} is one of {', '.join(choices)}")
        for name, choices in self.lists.items():
            said = basis.get(name)
            if name in basis and not (isinstance(said, list) and said and all(one in choices for one in said)):
                faults.append(f"{name} is a list of {', '.join(choices)}")
        return faults


def _threshold(table: str, condition: str, open_: str, named: str) -> str:
    return f"""
SELECT case_id, {named}, {TODAY} AS moment, {NOW} AS happened, NULL::timestamptz AS over,
    jsonb_build_object('used_days', used_days, 'left_days', left_days, 'used_percent', used_percent::text,
        'due_at', due_at) AS facts
FROM {table}
WHERE {open_} AND NOT overdue AND {condition}"""


_CASE_OPEN: Final = "closed_at IS NULL AND runs AND state NOT IN ('paused', 'waiting_applicant')"
_STAGE_OPEN: Final = "finished_at IS NULL AND due_at IS NOT NULL AND paused_since IS NULL"
_OF_CASE: Final = "NULL::text AS stage, NULL::int AS round"
_OF_STAGE: Final = "stage, round"
_USED: Final = "used_percent >= :at_least"
# A limit of one day has one day left from its very beginning: nobody is warned before a day was used.
_LEFT: Final = "left_days <= :at_most AND used_days > 0"


def _overdue(table: str, ended: str, named: str) -> str:
    return f"""
SELECT case_id, {named}, due_at AS moment, due_at AS happened, {ended} AS over,
    jsonb_build_object('due_at', due_at, '{ended}', {ended}, 'used_days', used_days, 'left_days', left_days) AS facts
FROM {table}
WHERE due_at IS NOT NULL AND (verdict = 'late' OR ({ended} IS NULL AND overdue))"""


def _late(name: str, done: str, otherwise: str) -> str:
    """Make the statement over one of the clock's two other terms: the notice of acceptance, and the delivery."""
    return f"""
SELECT case_id, {_OF_CASE}, {name}_due_at AS moment, {name}_due_at AS happened,
    coalesce({done}, {otherwise}) AS over,
    jsonb_build_object('due_at', {name}_due_at, 'done_at', {done}) AS facts
FROM sup_case
WHERE {name}_due_at IS NOT NULL
  AND ({name}_verdict = 'late' OR ({name}_verdict IS NULL AND {done} IS NULL AND {name}_due_at < {NOW}
       AND state NOT IN ('not_accepted', 'not_computable', 'waiting_applicant')))"""


# A case is over when it is closed; an application that was not accepted, when it was made.
_OVER: Final = "coalesce({0}.closed_at, CASE WHEN {0}.state = 'not_accepted' THEN {0}.applied_at END)"
# What is missing may still be on its way: such findings wait until the feed is complete through the end of the case.
_ABSENT: Final = "('granted_without_credential', 'approve_without_review', 'pause_not_ended')"
_FINDING: Final = f"""
SELECT DISTINCT ON (f.case_id) f.case_id, {_OF_CASE},
    CASE WHEN f.rule IN {_ABSENT} THEN coalesce(o.closed_at, o.approve_first) END AS moment,
    coalesce(o.closed_at, o.accepted_at, o.applied_at) AS happened, {_OVER.format("o")} AS over,
    jsonb_build_object('finding', f.finding_id, 'rule', f.rule, 'field', f.field, 'batch', f.batch_id) AS facts
FROM quality.finding AS f
JOIN core.case_overview AS o ON o.case_id = f.case_id
WHERE f.state = 'open' AND f.rule = :finding AND IN_SCOPE(f.case_id)
ORDER BY f.case_id, f.finding_id"""

# A stage counts as missing only where its source reports it for other cases: else the source does not report stages.
_MISSING: Final = f"""
WITH told AS (SELECT source_system_id, array_agg(stage) AS stages FROM supervision.told_stage GROUP BY 1)
SELECT o.case_id, {_OF_CASE}, o.closed_at AS moment, o.closed_at AS happened, o.closed_at AS over,
    jsonb_build_object('missing', m.stages) AS facts
FROM core.case_overview AS o
JOIN core.approval_case AS c ON c.record_id = o.case_id
JOIN told AS t ON t.source_system_id = c.source_system_id
CROSS JOIN LATERAL (
    SELECT jsonb_agg(w.stage ORDER BY w.place) AS stages
    FROM unnest(CAST(:stages AS text[])) WITH ORDINALITY AS w (stage, place)
    WHERE w.stage = ANY (t.stages) AND CASE w.stage
        WHEN 'accept' THEN o.accept_first IS NULL AND o.accepted_at IS NULL
        WHEN 'undertake' THEN o.undertake_first IS NULL WHEN 'review' THEN o.review_first IS NULL
        WHEN 'approve' THEN o.approve_first IS NULL ELSE o.complete_first IS NULL END
) AS m
WHERE o.closed_at IS NOT NULL AND c.case_kind IS DISTINCT FROM 'immediate' AND m.stages IS NOT NULL
  AND coalesce(o.closing_outcome, '') NOT IN ('returned', 'void', 'withdrawn', 'transferred', 'lapsed')
  AND IN_SCOPE(o.case_id)"""

_EXTENSION: Final = f"""
SELECT case_id, {_OF_CASE}, NULL::timestamptz AS moment, coalesce(accepted_at, applied_at) AS happened,
    closed_at AS over,
    jsonb_build_object('extended_days', extended_days, 'most', CAST(:days AS int)) AS facts
FROM supervision.clock WHERE extended_days > :days AND IN_SCOPE(case_id)"""

_PAUSE: Final = f"""
SELECT c.case_id, {_OF_CASE}, {TODAY} AS moment, c.paused_since AS happened,
    NULL::timestamptz AS over,
    jsonb_build_object('paused_since', c.paused_since, 'working_days', t.ordinal - s.ordinal) AS facts
FROM sup_case AS c
JOIN supervision.day AS s ON s.calendar = c.calendar AND s.day = (c.paused_since AT TIME ZONE 'Asia/Shanghai')::date
JOIN supervision.day AS t ON t.calendar = c.calendar AND t.day = ({NOW} AT TIME ZONE 'Asia/Shanghai')::date
WHERE c.closed_at IS NULL AND c.paused_since IS NOT NULL AND t.ordinal - s.ordinal > :days"""

_FEES: Final = f"""
SELECT DISTINCT ON (f.case_id) f.case_id, {_OF_CASE}, NULL::timestamptz AS moment,
    coalesce(f.paid_at, k.accepted_at, k.applied_at) AS happened, {_OVER.format("k")} AS over,
    jsonb_build_object('record', f.record_id, 'amount', f.amount::text, 'version', v.version,
        'charged', v.content -> 'fee' -> 'charged', 'standard', v.content -> 'fee' ->> 'standard') AS facts
FROM core.fee AS f
JOIN supervision.clock AS k ON k.case_id = f.case_id
JOIN catalog.item_version AS v ON v.version_id = k.version_id
WHERE f.amount > 0 AND {{condition}} AND IN_SCOPE(f.case_id)
ORDER BY f.case_id, f.record_id, f.part"""
_FREE: Final = _FEES.format(condition="v.content -> 'fee' -> 'charged' = 'false'::jsonb")
# The tariff is a text; an amount that none of its numbers names is none of it. A text without a number says nothing.
_TARIFF: Final = _FEES.format(
    condition="""v.content -> 'fee' -> 'charged' = 'true'::jsonb AND v.content -> 'fee' ->> 'standard' ~ '[0-9]'
  AND NOT EXISTS (
    SELECT FROM regexp_matches(
        replace(v.content -> 'fee' ->> 'standard', ',', ''), '[0-9]{1,15}(?:\\.[0-9]{1,6})?', 'g')
        AS n WHERE n[1]::numeric = f.amount)"""
)

# A catalogue that nobody has filled yet says nothing of a case.
_ITEM: Final = f"""
SELECT v.case_id, {_OF_CASE}, NULL::timestamptz AS moment,
    v.accepted_on::timestamp AT TIME ZONE 'Asia/Shanghai' AS happened, {_OVER.format("k")} AS over,
    jsonb_build_object('item_code', v.item_code, 'why', v.why, 'accepted_on', v.accepted_on) AS facts
FROM supervision.clock AS k JOIN catalog.version_of_case AS v ON v.case_id = k.case_id
WHERE (k.version_id IS NULL OR v.status <> 'in_force') AND v.why = ANY (CAST(:why AS text[]))
  AND (v.why <> 'not_in_catalogue' OR EXISTS (SELECT FROM catalog.item_version WHERE state = 'published'))
  AND IN_SCOPE(k.case_id) AND IN_SCOPE(v.case_id)"""

# The month that ended last, and those that a held card still waits for; only for organs with cases enough to speak of.
_MONTH: Final = f"""
WITH month AS (
    SELECT date_trunc('month', {NOW} AT TIME ZONE 'Asia/Shanghai') - INTERVAL '1 month' AS first
    UNION
    SELECT to_timestamp(substr(clock, 7, 7), 'YYYY-MM')::timestamp FROM supervision.card
    WHERE state = 'held' AND rule = :code AND clock LIKE 'month:%'
),
counted AS (
    SELECT k.organ, m.first, count(*) FILTER (WHERE {{of}}) AS cases,
        count(*) FILTER (WHERE {{of}} AND {{part}}) AS part
    FROM supervision.clock AS k
    JOIN month AS m ON k.closed_at >= m.first AT TIME ZONE 'Asia/Shanghai'
        AND k.closed_at < (m.first + INTERVAL '1 month') AT TIME ZONE 'Asia/Shanghai'
    JOIN core.case_overview AS o ON o.case_id = k.case_id
    WHERE :full AND k.organ IS NOT NULL
    GROUP BY k.organ, m.first
)
SELECT c.organ, to_char(c.first, 'YYYY-MM') AS month,
    (c.first + INTERVAL '1 month') AT TIME ZONE 'Asia/Shanghai' AS moment,
    c.first AT TIME ZONE 'Asia/Shanghai' AS happened,
    (c.first + INTERVAL '1 month') AT TIME ZONE 'Asia/Shanghai' AS over,
    jsonb_build_object('month', to_char(c.first, 'YYYY-MM'), 'cases', c.cases, 'part', c.part,
        'percent', round(100.0 * c.part / c.cases, 2)::text) AS facts
FROM counted AS c
WHERE c.cases >= :least AND 100.0 * c.part > :more_than * c.cases"""


def _month(of: str, part: str) -> Measure:
    return Measure({"month": _MONTH.format(of=of, part=part)}, {"more_than": (0, 99), "least": (1, 1_000_000)})


_UNCORRECTED: Final = f"""
SELECT c.card_id, c.due_at AS happened, NULL::timestamptz AS over,
    jsonb_build_object('card', c.number, 'level', c.level, 'sent_at', c.sent_at, 'due_at', c.due_at) AS facts
FROM supervision.card AS c
WHERE c.state = 'sent' AND c.level = :of AND c.due_at < {NOW}
  AND IN_SCOPE(c.case_id)"""
_ORDER: Final = f"""
SELECT DISTINCT ON (d.card_id) d.card_id, d.due_at AS happened, NULL::timestamptz AS over,
    jsonb_build_object('order', d.number, 'issued_at', d.issued_at, 'due_at', d.due_at) AS facts
FROM supervision.card_order AS d
WHERE d.state = 'open' AND d.due_at < {NOW} AND :full
ORDER BY d.card_id, d.due_at, d.order_id"""

MEASURES: Final[Mapping[str, Measure]] = {
    "used_percent": Measure(
        {"case": _threshold("sup_case", _USED, _CASE_OPEN, _OF_CASE),
         "stage": _threshold("sup_stage", _USED, _STAGE_OPEN, _OF_STAGE)}, {"at_least": (1, 100)}),
    "left_days": Measure(
        {"case": _threshold("sup_case", _LEFT, _CASE_OPEN, _OF_CASE),
         "stage": _threshold("sup_stage", _LEFT, _STAGE_OPEN, _OF_STAGE)}, {"at_most": (0, 250)}),
    "overdue": Measure(
        {"case": _overdue("sup_case", "closed_at", _OF_CASE),
         "stage": _overdue("sup_stage", "finished_at", _OF_STAGE)}, lasting=True),
    "notice_overdue": Measure({"case": _late("notice", "accepted_at", "closed_at")}, lasting=True),
    "delivery_overdue": Measure({"case": _late("delivery", "delivered_at", "delivery_due_at")}, lasting=True),
    "uncorrected": Measure({"card": _UNCORRECTED}, words={"of": ("warning", "yellow")}),
    "order_overdue": Measure({"card": _ORDER}),
    "finding": Measure({"case": _FINDING}, words={"finding": tuple(RULES)}, lasting=True),
    "stages_missing": Measure({"case": _MISSING}, lists={"stages": STAGES}, lasting=True),
    "extension_longer": Measure({"case": _EXTENSION}, {"days": (0, 250)}, lasting=True),
    "pause_longer": Measure({"case": _PAUSE}, {"days": (1, 1_000)}),
    "fee_on_free_item": Measure({"case": _FREE}, lasting=True),
    "fee_other_than_tariff": Measure({"case": _TARIFF}, lasting=True),
    "item": Measure(
        {"case": _ITEM}, lasting=True,
        lists={"why": ("not_in_catalogue", "not_yet_in_force", "suspended", "abolished", "devolved")}),
    "refusal_rate": _month("TRUE", "o.closing_outcome = 'refused'"),
    "overdue_rate": _month("k.verdict IS NOT NULL", "k.verdict = 'late'"),
    "suspended_share": _month("TRUE", "EXISTS (SELECT FROM core.suspension AS p WHERE p.case_id = k.case_id)"),
    "last_day_share": _month(
        "k.verdict IS NOT NULL AND k.kind IS DISTINCT FROM 'immediate'",
        "(k.closed_at AT TIME ZONE 'Asia/Shanghai')::date = (k.due_at AT TIME ZONE 'Asia/Shanghai')::date"),
}  # fmt: skip
"""Every measure by the word that a basis names it with."""
