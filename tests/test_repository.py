"""What this repository itself may hold, and that its parts fit: files, entry points, models against migrations."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from hub.cli import GROUP
from hub.findings import RULES, Dimension, Effect, Owner, Scope, Severity
from pipeline.runtime import Runtime
from sharedrepo.models import metadata
from validation.cases import case_rules
from validation.rules import RULES_OF_MEANING

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 800_000
LONGEST_MODULE = 400
CLASSES = {"public", "internal", "personal", "sensitive"}
PRODUCT = (
    "hub",
    "connectors",
    "validation",
    "normalization",
    "sharedrepo",
    "sql",
    "pipeline",
    "quality",
    "catalog",
    "verification",
    "supervision",
    "kit",
    "web",
    "dags",
    "demo",
    "bench",
)

# Put together here, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile("(?<![\\w.:~-])/(?:" + "|".join(("work", "root", "Users")) + ")/[A-Za-z.]")
REGISTRIES = (
    "pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "proxy.golang" + ".org",
    "conda.ana" + "conda.org", "deb.debian" + ".org", "crates" + ".io", "registry-1.docker" + ".io",
)  # fmt: skip
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
_PARTITION = re.compile(r"_(\d{6}|default)$")


@cache
def files() -> tuple[Path, ...]:
    """Every file that is committed, or would be."""
    asked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if asked.returncode:
        pytest.skip("this copy is no git repository: there is no list of its files")
    names = [name for name in asked.stdout.decode().split("\0") if name]
    return tuple(path for name in names if (path := ROOT / name).is_file())


@cache
def texts() -> dict[str, str]:
    found = {}
    for path in files():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a sample in another encoding, or no text
            continue
    return found


def lines_with(pattern: re.Pattern[str], suffix: str = "") -> list[str]:
    return [
        f"{name}:{number}"
        for name, text in texts().items()
        if name.endswith(suffix) and pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_is_large() -> None:
    assert [path.name for path in files() if path.stat().st_size > LARGEST] == []


def test_no_path_of_a_machine_is_named() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_no_package_registry_is_named() -> None:
    assert lines_with(re.compile("|".join(map(re.escape, REGISTRIES)))) == []


def test_nothing_is_left_for_later() -> None:
    assert lines_with(UNFINISHED, ".py") == []


def test_exceptions_to_strictness_have_their_reason_on_the_line() -> None:
    silent = re.compile(
        r"#\s*(?:noqa(?!: (?:[A-Z]+[0-9]+, )*[A-Z]+[0-9]+(?:  #| -) \S)|type: ignore(?!\[[a-z, -]+\].*(?:  #| -) \S))"
    )
    found = []
    for name, text in texts().items():
        if name.endswith(".py") and name.split("/")[0] in PRODUCT:
            found += [f"{name}:{number}" for number, line in enumerate(text.splitlines(), 1) if silent.search(line)]
    assert found == []


def test_modules_of_the_product_stay_short() -> None:
    long = {
        name: count
        for name, text in texts().items()
        if name.endswith(".py") and name.split("/")[0] in PRODUCT and (count := text.count("\n")) > LONGEST_MODULE
    }
    assert long == {}


def test_every_sub_command_can_be_loaded() -> None:
    points = entry_points(group=GROUP)
    assert {point.name for point in points} >= {
        "db",
        "key",
        "source",
        "pull",
        "ledger",
        "quarantine",
        "airflow",
        "demo",
    }
    for point in points:
        assert callable(point.load())


def test_the_register_of_rules_uses_its_closed_sets() -> None:
    assert {rule.scope for rule in RULES.values()} <= set(Scope.__args__)  # type: ignore[attr-defined]
    assert {rule.dimension for rule in RULES.values()} <= set(Dimension.__args__)  # type: ignore[attr-defined]
    assert {rule.severity for rule in RULES.values()} <= set(Severity.__args__)  # type: ignore[attr-defined]
    assert {rule.owner for rule in RULES.values()} <= set(Owner.__args__)  # type: ignore[attr-defined]
    assert all(
        isinstance(rule.effect, Effect) and rule.title and rule.title_zh and rule.hint for rule in RULES.values()
    )


def test_every_rule_on_cases_and_on_meaning_is_registered_and_flags() -> None:
    judged = {*case_rules(), *RULES_OF_MEANING}
    assert judged <= set(RULES)
    assert set(case_rules()) == {code for code, rule in RULES.items() if rule.scope == "case"}
    assert {RULES[code].effect for code in judged} == {Effect.FLAG}


def test_the_migrated_database_is_what_the_models_say(runtime: Runtime) -> None:
    def ours(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
        schemas = {table.schema for table in metadata.tables.values()}
        return name in schemas if kind == "schema" else not _PARTITION.search(str(name))

    with runtime.engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": ours,
            "version_table": "hub_migration",
            "compare_type": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_every_column_has_a_class() -> None:
    unclassified = [
        f"{table.fullname}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.info.get("class") not in CLASSES
    ]
    assert unclassified == []


def test_every_table_of_a_canonical_document_is_there(runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        found = set(sa.inspect(connection).get_table_names(schema="core"))
    assert {table.name for table in metadata.tables.values() if table.schema == "core"} == found
