"""Where a reader stands: enough to word an error that names source, stream and file."""

from __future__ import annotations

from dataclasses import dataclass

from hub.errors import HostileInput, RefuseUnit, TruncatedUnit, WrongEncoding


@dataclass(frozen=True, slots=True)
class Where:
    """Source, stream and unit that are being read."""

    source: str
    stream: str
    unit: str

    def refused(self, got: str, *, known: str = "", hint: str = "") -> RefuseUnit:
        """Return the error of a unit that cannot be read as declared."""
        return RefuseUnit(source=self.source, stream=self.stream, unit=self.unit, got=got, known=known, hint=hint)

    def truncated(self, got: str) -> TruncatedUnit:
        """Return the error of a unit that ends before it should."""
        return TruncatedUnit(source=self.source, stream=self.stream, unit=self.unit, got=got)

    def encoding(self, got: str, known: str = "") -> WrongEncoding:
        """Return the error of bytes that are no text in the declared encoding."""
        return WrongEncoding(source=self.source, stream=self.stream, unit=self.unit, got=got, known=known)

    def hostile(self, got: str, *, known: str = "") -> HostileInput:
        """Return the error of input beyond a limit."""
        return HostileInput(source=self.source, stream=self.stream, unit=self.unit, got=got, known=known)
