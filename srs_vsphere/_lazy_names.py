"""A package's public names, which load their module on first use.

Type checkers see them by the package's stub, or by imports that nobody else makes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def modules_of_names(package: str, names: Mapping[str, str]) -> dict[str, str]:
    """Return the module of each public name.

    Args:
        package: the package's name.
        names: by module, named from within the package: its public names, with spaces between.
    """
    return {name: f"{package}.{module}" for module, several in names.items() for name in several.split()}


def loading(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return a package's ``__getattr__``.

    Args:
        package: the package's name.
        modules: the module of each public name.
    """

    def load(name: str) -> object:
        module = modules.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(module), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
