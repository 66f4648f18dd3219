"""The criteria, one module each, as ordered tables of rules."""
