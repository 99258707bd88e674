"""Changing entities where they stand: in the files of repositories, by change requests."""
