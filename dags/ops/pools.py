"""Pools: one for each source system, so that no system ever gets two pulls at once from us.

Sources that share a DAG are systems of their own: some of them are pulled at once, each by one pull.
"""

from __future__ import annotations

import os

from dags.headers import PARTS_AT_ONCE, read_headers
from dags.ops.control import AirflowTrouble
from dags.ops.home import Home
from hub.settings import Settings

PROVINCE = "hub"
PREFIX = "hub_source_"


def wanted(settings: Settings) -> dict[str, tuple[int, str]]:
    """Return the pools that the source folders ask for: name to slots and description."""
    pools = {
        header.pool: (PARTS_AT_ONCE if header.members else 1, header.title or header.code)
        for header in read_headers(settings.sources)
    }
    pools[PROVINCE] = (1, "the hub's own reports")
    return dict(sorted(pools.items()))


def configure(settings: Settings) -> None:
    """Point Airflow's import at the Airflow meant: that of AIRFLOW_HOME, else that of `hub airflow start`.

    Raises:
        AirflowTrouble: there is none yet.
    """
    if "AIRFLOW_HOME" in os.environ:
        return
    home = Home.of(settings)
    if not home.config.exists():
        raise AirflowTrouble(
            "there is no Airflow yet. Make one with `hub airflow start` (which makes the pools too), "
            "or name another one's home in AIRFLOW_HOME."
        )
    os.environ.update(home.environment(settings))


def sync(settings: Settings) -> dict[str, list[str]]:
    """Make Airflow's pools as the folders ask for. Idempotent.

    A task whose pool does not exist waits for ever, without a word: so this runs at each start, and a pool that no
    folder asks for any more stays (a run may still wait in it). Returns the names made, changed and left unused.
    Airflow must be configured (AIRFLOW_HOME) before its first import.

    Raises:
        AirflowTrouble: Airflow's database does not answer or has no tables yet.
    """
    from airflow.models.pool import Pool  # noqa: PLC0415  # Airflow reads its configuration when it is imported
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415  # the DAG files read this module's neighbours

    asked = wanted(settings)
    try:
        there = {str(pool.pool): (pool.slots, pool.description) for pool in Pool.get_pools()}
    except DBAPIError as error:
        raise AirflowTrouble(
            f"Airflow's database is not ready: {error.orig}. Run `airflow db migrate` on it."
        ) from error
    made = [name for name in asked if name not in there]
    changed = [name for name, said in asked.items() if name in there and there[name] != said]
    for name in [*made, *changed]:
        slots, description = asked[name]
        Pool.create_or_update_pool(name, slots=slots, description=description, include_deferred=True)
    unused = sorted(name for name in there if name.startswith(PREFIX) and name not in asked)
    return {"made": made, "changed": changed, "unused": unused}
