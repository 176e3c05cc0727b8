"""The actions of the built-in resources."""
