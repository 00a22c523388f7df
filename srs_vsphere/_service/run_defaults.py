"""What running a script does unless it is told otherwise."""

from typing import Final

#: Columns of text; tables grow to what their columns hold and no more.
DEFAULT_WIDTH: Final = 4096
#: How many levels of .NET objects are opened: the object itself.
DEFAULT_DEPTH: Final = 1
#: The service ends a script after an hour itself.
DEFAULT_TIMEOUT: Final = 3600.0
