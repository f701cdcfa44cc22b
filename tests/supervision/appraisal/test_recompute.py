"""`hub supervise recompute` as another machine runs it: other language, zone, hash seed and order of rows, no hub."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from supervision.appraisal import inputs, ranking
from tests.supervision.appraisal.making import MONTH, ORGAN, OTHER, THIRD, Month

HUB = Path(sys.executable).parent / "hub"
ELSEWHERE = (
    {"LANG": "C", "TZ": "America/St_Johns", "PYTHONHASHSEED": "1"},
    {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4242"},
    {"LC_ALL": "zh_CN.GB18030", "TZ": "Asia/Shanghai", "PYTHONHASHSEED": "0", "PYTHONUTF8": "0"},
)


def month() -> Month:
    made = Month().organs(ORGAN, OTHER, THIRD, "éa", "Za", "中")
    chance = random.Random(7)
    for code in (ORGAN, OTHER, THIRD, "éa", "Za"):
        for _ in range(60):
            made.put("cases", organ=code, city=chance.choice(["330100", "330200", ""]),
                     verdict=chance.choice(["early", "early", "on_time", "late"]), used=str(chance.randrange(30)),
                     missing=chance.choice(["", "", "", "outcome"]))  # fmt: skip
        made.put("cards", chance.randrange(5), organ=code).put("ratings", 7, organ=code)
        made.put("ratings", chance.randrange(4), organ=code, satisfaction="1", mended_in_time="0")
    return made.put("entries", unit=OTHER)


def run(folder: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody who has the files and nothing of the hub that froze them."""
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT")}
    clean |= {"HUB_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "HOME": str(folder.parent), **environment}
    command = [str(HUB), "supervise", "recompute", MONTH, "--from", str(folder), *more]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=clean, cwd=folder.parent,
                          check=False)  # fmt: skip


def shuffled(files: dict[str, bytes], seed: int) -> dict[str, bytes]:
    """Put the rows of each file into another order."""
    found = dict(files)
    for name in [one for one in files if one.endswith(".csv")]:
        head, *lines = files[name].decode().splitlines(keepends=True)
        random.Random(seed).shuffle(lines)
        found[name] = "".join([head, *lines]).encode()
    return found


@pytest.mark.parametrize("place", range(len(ELSEWHERE)))
def test_the_ranking_is_the_same_to_the_last_digit_elsewhere(tmp_path: Path, place: int) -> None:
    made = month()
    here = inputs.canonical(ranking.ranked(made.opened()))
    folder = made.folder(tmp_path / "fetched", shuffled(made.files(), place))
    done = run(folder, "--to", "there.json", **ELSEWHERE[place])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there.json").read_bytes() == here


def test_the_answer_for_programs_names_its_digest_and_what_is_proven(tmp_path: Path) -> None:
    made = month()
    folder = made.folder(tmp_path / "fetched")
    digest = made.opened().digest
    said = json.loads(run(folder, "--json", "--digest", digest).stdout)
    assert said["ranking_sha256"] == inputs.sha256(inputs.canonical(ranking.ranked(made.opened())))
    assert "the manifest is the published one" in said["proven"]
    refused = run(folder, "--digest", "0" * 64)
    assert (refused.returncode, "not the published one" in refused.stderr) == (65, True)


def test_a_changed_input_ends_with_status_65_and_names_the_line(tmp_path: Path) -> None:
    made = month()
    files = made.files()
    lines = files["cases.csv"].split(b"\n")
    lines[8] = lines[8].replace(b",promised,2026-10-09", b",promised,2026-10-08")
    folder = made.folder(tmp_path / "fetched", files | {"cases.csv": b"\n".join(lines)})
    done = run(folder)
    assert (done.returncode, done.stdout) == (65, "")
    assert "cases.csv:9: this line was changed after it was frozen" in done.stderr
