"""The reference pages of the documentation, made from the code: settings, error codes, command line."""
