"""Secret values, encrypted at rest and named by references.

Words: a *path* names a value (`environments/shop/development/db/password`); a *reference* is `secret://` and the path,
and is what everything but this domain stores and passes on; to *resolve* is to exchange references for values, at the
last moment; the *vault* holds the keys; the *mask* keeps values out of whatever is shown or logged.
"""
