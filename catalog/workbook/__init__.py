"""The catalogue as an Excel workbook: its sheets made from the contract of items, written, and read back."""
