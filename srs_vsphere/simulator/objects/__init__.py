"""The objects of scripts as Python values: what they are, what may be done with them, how they are shown."""
