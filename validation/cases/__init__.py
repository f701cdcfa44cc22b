"""Rules on whole cases: one SQL file a rule, judged on the facts of the cases that a batch touched.

Each file selects `case_id` and `field` from `case_facts` (one row a touched case; `sharedrepo.writing.overview` fills
it); it is run inside the transaction of the batch. `%(five_stages)s` says whether the mapping declares five stages,
`%(zone)s` is the source's time zone. `quality.before(a, a_precision, b, b_precision, zone)` compares two instants no
finer than the coarser of their precisions.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def case_rules() -> dict[str, str]:
    """Return the SQL of every rule by its code, in code order."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.sql"))}
