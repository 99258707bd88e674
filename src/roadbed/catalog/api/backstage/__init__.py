"""Backstage's catalog API at `/api/catalog`, for clients that know no other.

Its 20 operations are answered from the index, outside the router of the other routes: they are what machines ask all
day. Documents leave as the bytes that the index holds.
"""
