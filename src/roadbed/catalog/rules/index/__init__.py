"""The index of the catalog: documents, columns of values with their bitmaps, orders and text, all in memory.

It is a pure structure: the service puts entities in and takes them out, and asks. Its words:

- **Number**: what an entity is called in the bitmaps of this process. Never shown, other processes have others.
- **Row**: a key and a value of one entity, as `rows` finds them in its document.
- **Column**: all rows of one key.
- **Condition**: which entities; evaluated to the bitmap of their numbers.
"""
