"""The commands, a module for each kind of thing they work on."""
