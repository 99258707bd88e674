"""Tests of accounts, roles, sessions and tokens."""
