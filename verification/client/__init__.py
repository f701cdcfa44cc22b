"""The hub's checks for a department's program: `Hub(address, client, secret).check(…)`.

This folder stands alone: besides Python it needs `requests` and `joserfc`, so a department may copy it. Tokens are got
and renewed, a question that did not get through is sent again under the same Idempotency-Key, and each answer is proven
by its receipt before it is returned. An error's type says what to do next:

HubProblem
├── BadQuestion   mend the question; `faults` names each field
├── NotAdmitted   the client's code or secret are wrong, expired or revoked
├── NotGranted    ask for a grant
├── NotThere      the number or the item does not exist, or is not your organ's
├── TryLater      the hub is busy or not reached; the client has tried several times already
└── NotProven     what came is not what the hub signed: rely on nothing of it
"""

from __future__ import annotations

from .errors import BadQuestion, Fault, HubProblem, NotAdmitted, NotGranted, NotProven, NotThere, TryLater
from .hub import Hub
from .proofs import open_notice, prove
from .told import (
    Balance,
    Checked,
    CredentialAnswer,
    Group,
    Head,
    Inquiry,
    NotAllowed,
    Notice,
    Option,
    PrerequisitesAnswer,
    Recall,
)

__all__ = [
    "BadQuestion",
    "Balance",
    "Checked",
    "CredentialAnswer",
    "Fault",
    "Group",
    "Head",
    "Hub",
    "HubProblem",
    "Inquiry",
    "NotAdmitted",
    "NotAllowed",
    "NotGranted",
    "NotProven",
    "NotThere",
    "Notice",
    "Option",
    "PrerequisitesAnswer",
    "Recall",
    "TryLater",
    "open_notice",
    "prove",
]
