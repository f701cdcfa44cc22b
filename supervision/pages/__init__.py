"""The supervisor's pages at `/supervision`: the wall, cases, cards, loads, rankings, trends, and exports of each."""
