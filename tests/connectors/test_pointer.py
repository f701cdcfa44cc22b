"""A JSON text is read exactly, or refused in words."""

from __future__ import annotations

import pytest

from connectors.pointer import JsonFault, read_json

DEPTH = 20


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9223372036854775807", 9223372036854775807),
        ("-9223372036854775808", -9223372036854775808),
        ("9223372036854775808", "9223372036854775808"),
        ("33012319900307123456789", "33012319900307123456789"),
        ("9" * 300, "9" * 300),
    ],
    ids=["largest", "smallest", "one more", "an identifier", "three hundred digits"],
)
def test_a_number_stays_what_was_written(written: str, read: int | str) -> None:
    for text in (f'{{"number": {written}}}', f'{{"number": {written}}}'.encode()):
        assert read_json(text, DEPTH) == {"number": read}


@pytest.mark.parametrize("digits", [400, 5_000, 100_000])
def test_a_number_beyond_every_measure_is_refused(digits: int) -> None:
    with pytest.raises(JsonFault, match="no JSON"):
        read_json(f'{{"number": {"9" * digits}}}', DEPTH)


def test_a_text_that_is_cut_says_so() -> None:
    with pytest.raises(JsonFault, match="ends too early") as found:
        read_json('{"number": 12345678901234567890123', DEPTH)
    assert found.value.cut
