"""Regions with those below them, by the codes of GB/T 2260: two digits a province, four a city, six a county."""

from __future__ import annotations


def prefix_of(region: str) -> str:
    """Return what the codes of a region and of all below it begin with: 33 of 330000, 3301 of 330100."""
    if region.endswith("0000"):
        return region[:2]
    return region[:4] if region.endswith("00") else region
