"""Logs of cases for process mining, and what is counted from them: process maps, load, trends."""
