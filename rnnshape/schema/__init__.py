"""The JSON Schemas (draft 2020-12) of the file that goes in and of the report that comes out."""
