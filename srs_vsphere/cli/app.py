"""The tree of commands; the module of a command is loaded when the command is called."""

from __future__ import annotations

from cyclopts import App

from srs_vsphere._version import __version__

_COMMANDS = "srs_vsphere.cli.commands"

_EPILOGUE = """\
Environment: SRS_URL, SRS_USERNAME, SRS_PASSWORD, SRS_PASSWORD_FILE, SRS_API_KEY, SRS_CA_FILE, SRS_THUMBPRINT,
SRS_KNOWN_HOSTS, SRS_TIMEOUT, SRS_PROFILE.

Exit codes: 0 ok, 1 script failed or lost, 2 usage, 3 succeeded with errors, 4 login or certificate, 5 quota,
6 not found, 7 transport, 8 timeout, 130 interrupted, 143 terminated.
"""


def _group(name: str, help: str, commands: dict[str, str]) -> App:
    group = App(name=name, help=help)
    for word, function in commands.items():
        group.command(f"{_COMMANDS}.{function}", name=word)
    return group


app = App(
    name="srs",
    help="Run PowerCLI scripts on a Script Runtime Service for vSphere, from a shell.",
    help_epilogue=_EPILOGUE,
    help_format="plaintext",
    version=__version__,
    suppress_keyboard_interrupt=False,
)

for _name, _function in {
    "about": "session:about",
    "login": "session:login",
    "logout": "session:logout",
    "cert": "certificate:cert",
    "run": "run:run",
    "follow": "script:follow",
    "shell": "shell:shell",
}.items():
    app.command(f"{_COMMANDS}.{_function}", name=_name)

app.command(
    _group(
        "runspace",
        "Runspaces: list, look at, create, remove.",
        {
            "ls": "runspace:list_runspaces",
            "get": "runspace:get",
            "create": "runspace:create",
            "rm": "runspace:remove",
        },
    )
)
app.command(
    _group(
        "script",
        "Script executions: list, look at, read the output, cancel.",
        {
            "ls": "script:list_scripts",
            "get": "script:get",
            "output": "script:output",
            "cancel": "script:cancel",
        },
    )
)
app.command(
    _group(
        "template",
        "Templates of argument scripts: list, look at, fill in.",
        {"ls": "template:list_templates", "get": "template:get", "render": "template:render"},
    )
)
app.command(
    _group(
        "console",
        "Web consoles: create, list, remove.",
        {"create": "console:create", "ls": "console:list_consoles", "rm": "console:remove"},
    )
)
app.command(
    _group(
        "fleet",
        "Many hosts at once: poll, watch, run a script on each.",
        {"poll": "fleet:poll", "watch": "fleet:watch", "run": "fleet:run"},
    )
)
# Handed over before the command line is parsed: the simulator has a parser of its own.
app.command("srs_vsphere.simulator.command:main", name="simulator", help="Serve simulated hosts.")
