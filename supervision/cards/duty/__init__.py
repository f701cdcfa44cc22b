"""The duty register (值守名册): who is on which day handler, division head, discipline officer, leader or deputy."""
