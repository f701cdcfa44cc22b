"""Months are frozen when they are due: once, after their grace, whatever was missed; late feeds are named."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from dags import supervisor
from hub.settings import Settings
from supervision.appraisal import freezing, moments, monthly
from tests.supervision.appraisal.filling import LATE

GRACE = datetime(2026, 11, 4, 16, 0, tzinfo=UTC)
"""Midnight of the fifth in the province."""


def test_a_month_is_frozen_on_its_grace_day_and_once(engine: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO supervision.frozen_month (month, number, formula, digest, frozen_by)
                                      VALUES ('2026-09', 1, 'full/v1', '', 'a')""")
        )
    assert monthly.freeze_due(engine, grace=5, now=datetime(2026, 11, 4, 15, 59, tzinfo=UTC)) == []
    with caplog.at_level(logging.WARNING, logger="hub"):
        [made] = monthly.freeze_due(engine, grace=5, now=GRACE)
    assert (made.frozen.month, made.frozen.frozen_by, made.frozen.formula) == ("2026-10", "hub", "full/v1")
    assert {row["organ"] for row in made.behind} == {LATE}, "its feed stopped on the twentieth"
    [feed] = made.as_dict()["feeds_behind"]
    assert f"2026-10: {feed} was not complete" in caplog.text
    assert monthly.freeze_due(engine, grace=5, now=GRACE) == []
    assert freezing.found(engine, "2026-10").number == 1


def test_what_was_missed_is_made_up_for_and_before_the_first_month_nothing_is(engine: sa.Engine) -> None:
    assert monthly.due(engine, date(2026, 11, 5), 5) == ["2026-10"]
    assert monthly.due(engine, date(2026, 11, 4), 5) == ["2026-09"]
    assert monthly.due(engine, date(2027, 1, 1), 1) == ["2026-12"]
    freezing.freeze(engine, "2026-10", actor="a", now=GRACE)
    assert monthly.due(engine, date(2027, 2, 4), 5) == ["2026-11", "2026-12"]
    assert monthly.due(engine, date(2026, 11, 30), 5) == []


def test_the_task_freezes_by_the_settings_of_the_deployment(
    engine: sa.Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.database_url is not None
    assert settings.keys is not None
    for name, said in {
        "DATABASE_URL": settings.database_url.get_secret_value(), "KEYS": settings.keys.get_secret_value(),
        "HOME": str(settings.home), "FREEZE_DAY": "3", "APPRAISAL_FORMULA": "three-heads/v1",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUB_{name}", said)
    monkeypatch.setattr(moments, "now", lambda: datetime(2026, 11, 3, 1, 0, tzinfo=UTC))
    [said] = supervisor.freeze()
    assert (said["month"], said["formula"], len(said["feeds_behind"])) == ("2026-10", "three-heads/v1", 1)
    assert supervisor.freeze() == []
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT frozen_by FROM supervision.frozen_month")) == "hub"
