"""What can be wrong with a deed on a card; each says the next step."""

from __future__ import annotations

from hub.errors import HubError
from hub.sentences import sentence


class NoSuchCard(HubError):
    """No card has this number, or it is another department's."""

    def __init__(self, number: str) -> None:
        self.number = number
        told = "no card {number!r}. `hub supervise cards list` shows them with their numbers."
        super().__init__(sentence(told, number=number[:40]))


class NoSuchOrder(HubError):
    """No supervision order has this number."""

    def __init__(self, number: str) -> None:
        self.number = number
        told = "no supervision order {number!r}. `hub supervise orders list` shows them."
        super().__init__(sentence(told, number=number[:40]))


class CardRefuses(HubError):
    """What was asked cannot be done to the card as it stands; nothing was changed."""

    exit_status = 65

    def __init__(self, number: str, got: str, next_step: str) -> None:
        self.number, self.got, self.next_step = number, got, next_step
        super().__init__(f"{number}: {got}. {next_step}")


class BadRegister(HubError):
    """A file of the duty register is wrong; every fault is listed with its row, and nothing was entered."""

    exit_status = 65

    def __init__(self, file: str, faults: list[str], *, more: int = 0) -> None:
        self.file, self.faults = file, tuple(faults)
        told = [*faults, f"and {more} further faults"] if more else faults
        super().__init__("\n".join([f"{file}: nothing was entered:", *told]))
