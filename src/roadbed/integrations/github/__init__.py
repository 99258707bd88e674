"""GitHub: an organisation as a source of the catalog, read-only.

An *organisation* is the target of a location; what is read of it are its *repositories*, as far as the options of the
location choose them, and its *people*: users and teams. A *host* is github.com, a data residency host, or a GitHub
Enterprise Server. The *budget* is how many requests the host still takes until it counts anew.
"""
