"""The public test kit: what Atoll's own tests use and what authors of adapters and plugins may use too.

Services run for real: private Redis and PostgreSQL servers, and Atoll servers as processes of their own, on
free ports and in temporary folders. Faults have names. Nothing here is imported by the rest of Atoll.
"""
