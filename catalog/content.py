"""The content of one version of an item: judged by its contract, and for contradictions within itself.

All faults are told at once. What contradicts the law's order of limits is refused: the stages together must not take
longer than promised, nor the promise longer than the law allows (行政许可法 art. 42; 承诺期限 ≤ 法定期限).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from catalog.errors import ContentRefused, Fault
from catalog.limits import Limit, exceeds, total
from hub.documents import SCHEMAS
from hub.identifiers import credit_code, item_code
from hub.sentences import Code, Sentence, sentence

CENTRAL = ("name", "item_type", "legal_limit", "legal_basis", "results")
"""What the base item fixes for every level that carries it out; all else is the implementing organ's own."""
MOST_ENTRIES = 200
"""Entries of one list; a longer one is no item's content."""
LARGEST = 512 * 1024
"""Characters of a content as JSON in ASCII."""
_MOST_FAULTS = 50
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


COMPLETE = ("kind", "legal_limit", "promised_limit", "fee", "legal_basis", "materials", "results", "disclosure")
"""What a version must say before it is reviewed; an imported one may lack some of it, which is then listed."""


def missing(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a content lacks to be complete; an item that is decided at once needs no limits."""
    limits = ("legal_limit", "promised_limit") if content.get("kind") == "immediate" else ()
    return tuple(name for name in COMPLETE if name not in content and name not in limits)


def check(code: str, content: Mapping[str, Any], *, central: Mapping[str, Any] | None = None) -> None:
    """Refuse a content that breaks its contract, contradicts itself, or changes what the base item fixes (`central`).

    Raises:
        ContentRefused: with every fault.
    """
    if found := faults(code, content, central=central):
        raise ContentRefused(code, found)


def faults(code: str, content: Mapping[str, Any], *, central: Mapping[str, Any] | None = None) -> list[Fault]:
    """Return everything that is wrong with a content, first its shape; where that is wrong, only that."""
    shape = list(_shape(content))
    if shape:
        return shape[:_MOST_FAULTS]
    return [
        *_number(code, content),
        *_limits(content),
        *_fee(content),
        *_requirements(content),
        *_locked(content, central),
    ]


@cache
def _validator() -> Draft202012Validator:
    contract = json.loads((SCHEMAS / "catalog" / "item" / "v1" / "schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(contract)


def _shape(content: Mapping[str, Any]) -> Iterator[Fault]:
    text = json.dumps(content)
    if len(text) > LARGEST:
        yield Fault("", "too_large", sentence("more than {kib} KiB of JSON", kib=LARGEST // 1024))
        return
    if _NUL.search(text):
        yield Fault("", "nul_character", "a text holds the character NUL, which the repository cannot keep")
        return
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        yield Fault("", "half_character", "a text holds half of a character (an unpaired surrogate)")
        return
    for error in _validator().iter_errors(content):
        pointer = "".join(f"/{part}" for part in error.absolute_path)
        demanded = f"{error.validator} {error.validator_value!r}"[:300]
        yield Fault(pointer, "shape", sentence("{demanded} is not met", demanded=demanded))
    for name, value in content.items():
        if isinstance(value, list) and len(value) > MOST_ENTRIES:
            told = sentence("{count} entries; at most {most}", count=len(value), most=MOST_ENTRIES)
            yield Fault(f"/{name}", "too_many", told)


def _number(code: str, content: Mapping[str, Any]) -> Iterator[Fault]:
    """Compare the type that the number bears with the one that the content says."""
    said = item_code.form(code) if item_code.fault(code) is None else None
    if said is None:
        return
    base = code if said == "base" else code[19:31]
    if base[2:4] != content["item_type"]:
        told = sentence("{said}, but the number says {number}", said=content["item_type"], number=base[2:4])
        yield Fault("/item_type", "type_differs", told)


def _limits(content: Mapping[str, Any]) -> Iterator[Fault]:
    legal, promised = (Limit.of(content.get(name)) for name in ("legal_limit", "promised_limit"))
    if legal and promised and exceeds(promised, legal):
        told = sentence("{promised} is longer than the legal {legal}", promised=_told(promised), legal=_told(legal))
        yield Fault("/promised_limit", "promise_over_law", told)
    stages = content.get("stages", [])
    named = [one["stage"] for one in stages]
    for stage in sorted({one for one in named if named.count(one) > 1}):
        told = sentence("stage {stage} stands {count} times", stage=Code("item.stage", stage), count=named.count(stage))
        yield Fault("/stages", "stage_twice", told)
    together = total(Limit(**one["limit"]) for one in stages if "limit" in one)
    if together and promised and exceeds(together, promised):
        told = sentence(
            "the stages together take {together}, longer than the promised {promised}",
            together=_told(together), promised=_told(promised),
        )  # fmt: skip
        yield Fault("/stages", "stages_over_promise", told)


def _told(limit: Limit) -> Sentence:
    return sentence("{value} {unit}", value=limit.value, unit=Code("item.unit", limit.unit))


def _fee(content: Mapping[str, Any]) -> Iterator[Fault]:
    fee = content.get("fee")
    if fee and fee["charged"] and not fee.get("basis"):
        yield Fault("/fee/basis", "fee_without_basis", "a fee is charged and no basis is named")


def _requirements(content: Mapping[str, Any]) -> Iterator[Fault]:
    for place, group in enumerate(content.get("requirements", [])):
        if not group["any_of"]:
            yield Fault(f"/requirements/{place}/any_of", "empty_group", "none of no options can ever be met")
        for index, option in enumerate(group["any_of"]):
            at = f"/requirements/{place}/any_of/{index}"
            if ("credential" in option) == ("item" in option):
                yield Fault(at, "option_unclear", "an option names either a credential or an item")
            organ = option.get("issued_by")
            if organ is not None and (why := credit_code.fault(organ)):
                yield Fault(f"{at}/issued_by", "organ_unreadable", why)


def _locked(content: Mapping[str, Any], central: Mapping[str, Any] | None) -> Iterator[Fault]:
    for name in CENTRAL:
        if central is not None and name in central and content.get(name) != central[name]:
            yield Fault(f"/{name}", "central_field", "the base item fixes it for every level; propose the change there")
