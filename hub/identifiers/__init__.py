"""National identifiers: one module a standard, each with `fault(text)`.

`fault` returns None for a good identifier, else a short English reason. The reason never quotes the value, because
many of these are personal. Text is judged as said: a module that overlooks a way of writing says so in its docstring.
"""
