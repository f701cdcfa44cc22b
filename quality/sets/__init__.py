"""Judges whole sets of records: Great Expectations suites, run in SQL, a row of results for each organ and stream.

Never imported where data is loaded. Great Expectations sends nothing anywhere: its counting of users is switched off
here, before anything of it is imported.
"""

from __future__ import annotations

import os

os.environ["GX_ANALYTICS_ENABLED"] = "false"
