"""The objects that scripts put out, as Python values, and how the service shows them: as text and as JSON."""
