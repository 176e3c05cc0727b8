"""The record engine: filters, query plans, reading and writing rows of any collection."""
