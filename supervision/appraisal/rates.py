"""The rates that are printed with their definition, numerator, denominator and cohort: both usual ones side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from hub.errors import ConfigError, Fault
from hub.yamlsafe import YamlFault, compose
from supervision.appraisal.formulas import Words, plain
from supervision.appraisal.language import BadExpression, half_up, parse, worked_out
from supervision.appraisal.terms import MEASURES

FILE: Final = "rates.yml"
_HERE: Final = Path(__file__).resolve().parent


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Definition(_Part):
    """One way to count a rate."""

    says: Words
    cohort: Words
    numerator: str
    denominator: str


class Rate(_Part):
    """A rate with its definitions by letter."""

    code: Annotated[str, StringConstraints(pattern="^[a-z][a-z_]{0,39}$")]
    title: Words
    definitions: dict[Annotated[str, StringConstraints(pattern="^[AB]$")], Definition] = Field(min_length=1)


class Rates(_Part):
    """All rates, as `rates.yml` says them."""

    version: Annotated[str, StringConstraints(pattern="^[1-9][0-9]{0,3}$")]
    places: Annotated[str, StringConstraints(pattern="^[0-6]$")]
    rates: tuple[Rate, ...]


def own() -> bytes:
    """Return the file of rates that the hub brings."""
    return (_HERE / FILE).read_bytes()


def read(data: bytes, file: str = FILE) -> Rates:
    """Read the file of rates.

    Raises:
        ConfigError: with what is wrong.
    """
    try:
        found = Rates.model_validate(plain(compose(data, words=True), (), {}))
        _check(found)
    except YamlFault as error:
        raise ConfigError([Fault(file, error.line, str(error))]) from None
    except (ValidationError, BadExpression) as error:
        raise ConfigError([Fault(file, 1, str(error).split("\n", 1)[0])]) from None
    return found


def _check(found: Rates) -> None:
    for rate in found.rates:
        for one in rate.definitions.values():
            unknown = {*parse(one.numerator).names(), *parse(one.denominator).names()} - {*MEASURES}
            if unknown:
                raise BadExpression(f"there is no measure {', '.join(sorted(unknown))}")


def worked(rates: Rates, measures: Mapping[str, Decimal]) -> Iterator[dict[str, Any]]:
    """Yield each rate by each definition; its value is None where the denominator is zero."""
    for rate in rates.rates:
        for letter, one in rate.definitions.items():
            above, below = (worked_out(parse(text), measures) for text in (one.numerator, one.denominator))
            value = half_up(above, below, int(rates.places)) if below else None
            yield {"rate": rate.code, "definition": letter, "numerator": above, "denominator": below, "value": value}
