"""Tables -> what people see: charts, tables, the live view, the page that a notebook shows and the report made of it.

Reads records and the tables of `analyse`; knows nothing of how anything was measured.
"""
