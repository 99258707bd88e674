"""Pages: the list of resources, one resource, the form to ask for one, and the part of the entity page."""
