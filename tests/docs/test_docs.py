"""The pages are held to the code: what exists is told, and what is told exists."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from connectors.source import Kind
from hub.documents import Documents
from hub.errors import HubError
from hub.findings import RULES
from hub.settings import Settings
from sharedrepo.models import OUTCOMES
from tests.docs import generated
from tests.docs.commands import Named, commands, fault, named_in_messages, named_in_page, pages, shell_lines

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PRODUCT = (
    "hub",
    "connectors",
    "validation",
    "normalization",
    "sharedrepo",
    "pipeline",
    "dags",
    "kit",
    "verification",
    "web",
    "demo",
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_VARIABLE = re.compile(r"\bHUB_(?!CONN_)[A-Z]+(?:_[A-Z]+)*\b")


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def project() -> dict[str, Any]:
    return tomllib.loads(text("pyproject.toml"))


def modules() -> list[Path]:
    return [file for package in PRODUCT for file in sorted((ROOT / package).rglob("*.py"))]


# --- settings ---


def test_every_setting_has_a_line() -> None:
    names = {f"HUB_{name.upper()}" for name in Settings.model_fields} | {"HUB_CONN_<ID>"}
    page = text("docs/operate/settings.md")
    assert [name for name in sorted(names) if f"| `{name}`" not in page] == []


def test_every_variable_in_the_code_is_told() -> None:
    page = text("docs/operate/settings.md")
    named = {found for file in modules() for found in _VARIABLE.findall(file.read_text(encoding="utf-8"))}
    assert [name for name in sorted(named) if f"`{name}`" not in page] == []


# --- commands ---


@pytest.mark.parametrize("words", sorted(commands()), ids=" ".join)
def test_every_command_is_told(words: tuple[str, ...]) -> None:
    said = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    assert re.search(rf"\bhub {' '.join(words)}\b", said), f"no page tells of `hub {' '.join(words)}`"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_on_a_page_exist(page: Path) -> None:
    assert faults(list(named_in_page(page))) == []


def test_commands_that_messages_tell_people_to_use_exist() -> None:
    assert faults([one for file in modules() for one in named_in_messages(file)]) == []


def faults(named: list[Named]) -> list[str]:
    return [f"{one.page}: {one.text!r}: {wrong}" for one in named if (wrong := fault(one.text))]


def test_make_targets_on_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), re.MULTILINE))
    typed = {
        target
        for page in pages()
        for line in shell_lines(page.read_text(encoding="utf-8"))
        for target in re.findall(r"^make ([a-z-]+)", line)
    }
    told = {found for page in pages() for found in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))}
    assert typed | told <= targets


def test_a_wrong_command_is_found() -> None:
    assert fault("hub pull CODE --full") is None
    assert fault("hub db upgrad") is not None
    assert fault("hub pull CODE --fully") is not None


# --- rules, documents, outcomes ---


@pytest.mark.parametrize("page", generated.pages(), ids=lambda page: page.name)
def test_made_parts_are_as_the_code_says(page: Path) -> None:
    now = page.read_text(encoding="utf-8")
    assert now == generated.remade(now), "run `python -m tests.docs.generated`"


def test_every_rule_and_every_column_stands_on_its_page() -> None:
    findings, model = text("docs/steward/findings.md"), text("docs/develop/data-model.md")
    assert [code for code in RULES if f"| `{code}` |" not in findings] == []
    documents = Documents.load()
    assert [name for name in documents if f"`core.{name}`" not in model] == []
    columns = {column for document in documents.values() for column in document.columns}
    assert [name for name in sorted(columns) if f"| `{name}`" not in model] == []


def test_every_outcome_is_explained() -> None:
    page = text("docs/operate/pulling.md")
    assert [outcome for outcome in OUTCOMES if f"| `{outcome}` |" not in page] == []


def test_every_document_stands_in_the_glossary() -> None:
    page = text("docs/glossary.md")
    later = {"credential_number", "credential_status", "case_identifier"}  # parts of a word that stands there
    missing = [name for name, one in Documents.load().items() if name not in later and one.title_zh not in page]
    assert missing == []


# --- errors, profiles, kinds ---


def test_every_error_is_told() -> None:
    for package in PRODUCT:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.endswith("__main__") and module.name not in ("dags.sources", "dags.province"):
                importlib.import_module(module.name)
    page = text("docs/operate/troubleshooting.md")
    missing = sorted(one.__name__ for one in _below(HubError) if f"`{one.__name__}`" not in page)
    assert missing == []


def _below(error: type[HubError]) -> set[type[HubError]]:
    own = {one for one in error.__subclasses__() if one.__module__.split(".")[0] in PRODUCT}
    return own | {further for one in own for further in _below(one)}


def test_exit_statuses_are_told() -> None:
    page = text("docs/operate/pulling.md")
    assert [one for one in {error.exit_status for error in _below(HubError)} if f"| {one} |" not in page] == []


def test_every_profile_has_its_page() -> None:
    names = {found.parent.name for found in (ROOT / "connectors/profiles").glob("*/mapping.yml")}
    index = text("docs/integrate/profiles/README.md")
    assert [name for name in sorted(names) if f"({name}.md)" not in index] == []
    assert {page.stem for page in (DOCS / "integrate/profiles").glob("*.md")} - {"README"} == names


def test_every_kind_is_told_and_its_options_explained() -> None:
    page = text("docs/integrate/add-a-source.md")
    assert [kind for kind in get_args(Kind) if not re.search(rf"`(kind: )?{kind}`", page)] == []
    schema = json.loads((ROOT / "connectors/source.schema.json").read_text(encoding="utf-8"))
    for own in (DOCS / "integrate/kinds").glob("*.md"):
        kind, words = own.stem.replace("-", "_"), own.read_text(encoding="utf-8")
        options = schema["$defs"][kind]["properties"]
        assert [name for name in options if not re.search(rf"`[^`]*\b{name}\b[^`]*`", words)] == [], kind


# --- dependencies ---


def _declared() -> tuple[set[str], set[str]]:
    names = [
        {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in lines}  # type: ignore[index]  # each line begins with a name
        for lines in (project()["project"]["dependencies"], project()["project"]["optional-dependencies"]["dev"])
    ]
    return names[0], names[1]


def test_every_dependency_has_a_row_with_reason_upkeep_and_licence() -> None:
    run, develop = text("docs/develop/dependencies.md").split("## To develop")
    for page, names in zip((run, develop), _declared(), strict=True):
        rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \|(.+)\|$", page, re.MULTILINE))
        assert set(rows) == names
        assert all(len([cell for cell in row.split("|") if cell.strip()]) == 3 for row in rows.values())


def test_every_dependency_is_locked() -> None:
    locked = set(re.findall(r"^([a-z0-9._-]+)==", text("requirements.lock"), re.MULTILINE))
    run, develop = _declared()
    assert sorted((run | develop) - locked) == []


# --- changelog, decisions, links ---


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    found = re.search(r"^## \[(\d+\.\d+\.\d+)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert found is not None
    assert found[1] == project()["project"]["version"]


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    files = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    index = text("docs/decisions/README.md")
    assert [file.name for file in files if f"({file.name})" not in index] == []
    for file in files:
        said = file.read_text(encoding="utf-8")
        assert [part for part in ("# ", "**Context.**", "**Decision.**", "**Consequence.**") if part not in said] == []


def _targets(page: Path) -> list[str]:
    prose = _FENCED.sub("", page.read_text(encoding="utf-8"))
    return [link for link in _LINK.findall(prose) if "://" not in link and not link.startswith("mailto:")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for link in _targets(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            wrong.append(link)
    assert wrong == []


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached:
            continue
        reached.add(page)
        ahead += [
            target
            for link in _targets(page)
            if (target := (page.parent / link.partition("#")[0]).resolve()).suffix == ".md" and target.is_file()
        ]
    assert sorted(page.relative_to(ROOT).as_posix() for page in set(pages()) - reached) == []


def test_every_sign_of_ill_health_is_told() -> None:
    source, page = text("pipeline/telling/health.py"), text("docs/operate/health.md")
    signs = set(re.findall(r'^        "(\w+)": ', source, re.MULTILINE)) | {"never"}
    assert len(signs) == 9
    assert [sign for sign in sorted(signs) if f"| `{sign}` |" not in page] == []
