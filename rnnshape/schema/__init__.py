"""The JSON Schemas (draft 2020-12) of batch files, reports and comparisons."""
