"""The standard suite: named checks that every source must pass, or waive with a written reason."""

from kit.suite.result import Check, Result, Status
from kit.suite.run import CHECKS, NAMES, Outcome, run
from kit.suite.stand import MOST, Stand, stand_of

__all__ = ["CHECKS", "MOST", "NAMES", "Check", "Outcome", "Result", "Stand", "Status", "run", "stand_of"]
