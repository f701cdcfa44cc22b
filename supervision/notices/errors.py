"""What can be wrong with notices."""

from __future__ import annotations

from hub.errors import HubError
from hub.settings import SettingError


class GatewayFile(SettingError):
    """The file of the SMS gateway is missing or wrong; all faults are told, none of its values."""


class NoticeRefused(HubError):
    """A deed does not fit its notice as it stands; nothing was changed."""

    exit_status = 2
