"""Collections: their model, their metadata tables and the DDL that keeps both in agreement."""
