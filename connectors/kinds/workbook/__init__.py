"""Kind `workbook`: a department without any system fills in an Excel template that the hub makes for it."""

from connectors.kinds.workbook.connector import WorkbookConnector

__all__ = ["WorkbookConnector"]
