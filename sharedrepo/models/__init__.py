"""The tables of the repository: `core` made from the contracts, its history twins, `ledger`, `quality`,
`catalog`, `access` and `audit`."""

from sharedrepo.models.access import account, account_event, client, session, sign_in_pause
from sharedrepo.models.base import metadata
from sharedrepo.models.catalog import (
    base_item,
    base_item_deed,
    catalog_item,
    item_comment,
    item_deed,
    item_number,
    item_version,
)
from sharedrepo.models.documents import MERGE_ORDER, TABLES
from sharedrepo.models.history import HISTORY
from sharedrepo.models.ledger import (
    OUTCOMES,
    batch,
    envelope,
    key_fingerprint,
    post,
    receipt,
    source_record,
    source_system,
    stream,
    waiting,
)
from sharedrepo.models.overview import case_overview
from sharedrepo.models.quality import alert, bound, daily, finding, issue, issue_event, score, set_result
from sharedrepo.models.verification import (
    answer_key,
    confirmation,
    entry,
    feed,
    grant,
    recall,
    seal,
    sharing,
    signing_key,
    waiting_check,
)
from sharedrepo.models.worklist import correction, work_log

__all__ = [
    "HISTORY",
    "MERGE_ORDER",
    "OUTCOMES",
    "TABLES",
    "account",
    "account_event",
    "alert",
    "answer_key",
    "base_item",
    "base_item_deed",
    "batch",
    "bound",
    "case_overview",
    "catalog_item",
    "client",
    "confirmation",
    "correction",
    "daily",
    "entry",
    "envelope",
    "feed",
    "finding",
    "grant",
    "issue",
    "issue_event",
    "item_comment",
    "item_deed",
    "item_number",
    "item_version",
    "key_fingerprint",
    "metadata",
    "post",
    "recall",
    "receipt",
    "score",
    "seal",
    "session",
    "set_result",
    "sharing",
    "sign_in_pause",
    "signing_key",
    "source_record",
    "source_system",
    "stream",
    "waiting",
    "waiting_check",
    "work_log",
]
