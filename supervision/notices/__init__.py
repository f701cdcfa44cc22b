"""Notices (短信通知): one text a card and recipient, never twice where that can be known."""
