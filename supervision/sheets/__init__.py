"""Lists as files: CSV, a workbook, or PDF; one description of a list gives all three."""

from supervision.sheets.comma import write_csv
from supervision.sheets.pdf import write_pdf
from supervision.sheets.table import FORMS, Column, Form, Sheet, TooLong
from supervision.sheets.workbook import write_workbook

__all__ = ["FORMS", "WRITERS", "Column", "Form", "Sheet", "TooLong", "write_csv", "write_pdf", "write_workbook"]

WRITERS = {"csv": write_csv, "xlsx": write_workbook, "pdf": write_pdf}
"""What writes a list in each form: `WRITERS[form](sheet, out)`."""
