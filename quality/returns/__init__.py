"""What goes back to departments 数据回流: their rejected rows to be corrected, and what was accepted of them."""
