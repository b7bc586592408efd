"""The nodes of the language, one file for each kind: its keys, their types and their documentation.

The JSON Schema, the decoder and the reference page are made from them.
"""
