"""The append-only record of who did what.

Words: an *entry* is one change of state: who (actor), what (action, in the past tense), on what (subject), the digests
before and after, when, and from where. It is written in the transaction of the change, and never changed or deleted.
"""
