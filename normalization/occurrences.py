"""Counting of equal fingerprints: two records that are alike in every field are still two records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

_Hashes = npt.NDArray[np.uint64]
_Counts = npt.NDArray[np.uint32]


class Occurrences:
    """How often each fingerprint has come so far in one snapshot or file.

    Twelve bytes a fingerprint: five million rows take 60 MB. Only the first eight bytes of a hash are compared; were
    two of five million different rows to share them (once in a million such files), one of them would be called
    the second of its kind, which its key still tells apart.
    """

    def __init__(self) -> None:
        self._hashes: list[_Hashes] = []
        self._counts: list[_Counts] = []

    def number(self, hashes: Sequence[bytes]) -> list[int]:
        """Number each of these fingerprints among its equals, from 1, in order of arrival; and remember them."""
        if not hashes:
            return []
        short = np.frombuffer(b"".join(found[:8] for found in hashes), dtype="<u8")
        uniques, where, counts = np.unique(short, return_inverse=True, return_counts=True)
        by_arrival = np.argsort(where, kind="stable")
        starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
        numbers = np.empty(len(short), dtype=np.int64)
        numbers[by_arrival] = np.arange(len(short)) - np.repeat(starts, counts) + 1
        numbers += self._before(uniques)[where]
        self._remember(uniques.astype(np.uint64), counts.astype(np.uint32))
        found: list[int] = numbers.tolist()
        return found

    def absorb(self, keys: Iterable[str]) -> None:
        """Remember the fingerprint keys (`fp:HEX#n`) that earlier slices of the same snapshot or file have given."""
        found = [bytes.fromhex(key[3 : key.rindex("#")]) for key in keys if key.startswith("fp:")]
        self.number(found)

    def _before(self, uniques: _Hashes) -> npt.NDArray[np.int64]:
        total = np.zeros(len(uniques), dtype=np.int64)
        for hashes, counts in zip(self._hashes, self._counts, strict=True):
            places = np.minimum(np.searchsorted(hashes, uniques), len(hashes) - 1)
            total += np.where(hashes[places] == uniques, counts[places], 0)
        return total

    def _remember(self, hashes: _Hashes, counts: _Counts) -> None:
        """Keep sorted runs, each at least twice as long as the next, so that few are searched and little is copied."""
        while self._hashes and len(self._hashes[-1]) < 2 * len(hashes):
            hashes, counts = _merged(self._hashes.pop(), self._counts.pop(), hashes, counts)
        self._hashes.append(hashes)
        self._counts.append(counts)


def _merged(first: _Hashes, first_counts: _Counts, second: _Hashes, second_counts: _Counts) -> tuple[_Hashes, _Counts]:
    hashes, where = np.unique(np.concatenate((first, second)), return_inverse=True)
    counts = np.zeros(len(hashes), dtype=np.uint32)
    np.add.at(counts, where, np.concatenate((first_counts, second_counts)))
    return hashes, counts
