"""The tree of commands; the module of a command is loaded when the command is called."""

from __future__ import annotations

from cyclopts import App, Parameter

from srs_vsphere._version import __version__

_COMMANDS = "srs_vsphere.cli.commands"

_EPILOGUE = """\
Environment: SRS_URL, SRS_USERNAME, SRS_PASSWORD, SRS_PASSWORD_FILE, SRS_API_KEY, SRS_CA_FILE, \
SRS_THUMBPRINT, SRS_KNOWN_HOSTS, SRS_INSECURE, SRS_TIMEOUT, SRS_PROFILE.

Exit codes: 0 ok, 1 script failed or lost, 2 usage, 3 succeeded with errors, 4 login or certificate, \
5 quota, 6 not found, 7 transport, 8 timeout, 130 interrupted, 143 terminated.
"""

_TOP = {
    "about": ("session:about", "Show the service's name and versions."),
    "login": ("session:login", "Log in now; the commands that follow share the session."),
    "logout": ("session:logout", "End the session that commands share."),
    "cert": ("certificate:cert", "Show the server's certificate, and trust it if wanted."),
    "run": ("run:run", "Run a script, and write what it puts out."),
    "shell": ("shell:shell", "Type commands into one runspace."),
    "follow": ("script:follow", "Show what a script writes to its streams while it runs."),
}

_GROUPS = {
    "runspace": (
        "Runspaces: list, look at, create, remove.",
        {
            "ls": ("runspace:list_runspaces", "List the runspaces."),
            "get": ("runspace:get", "Show one runspace."),
            "create": ("runspace:create", "Create a runspace, and wait until it is ready."),
            "rm": ("runspace:remove", "Remove runspaces."),
        },
    ),
    "script": (
        "Script executions: list, look at, read the output, cancel.",
        {
            "ls": ("script:list_scripts", "List the scripts that run or ran."),
            "get": ("script:get", "Show one script execution."),
            "output": ("script:output", "Write what a script has put out."),
            "cancel": ("script:cancel", "Stop a script."),
        },
    ),
    "template": (
        "Templates of argument scripts: list, look at, fill in.",
        {
            "ls": ("template:list_templates", "List the templates."),
            "get": ("template:get", "Show one template."),
            "render": ("template:render", "Fill in a template, and write the script."),
        },
    ),
    "console": (
        "Web consoles: create, list, remove.",
        {
            "create": ("console:create", "Create a web console, and write its address."),
            "ls": ("console:list_consoles", "List the web consoles."),
            "rm": ("console:remove", "Remove web consoles."),
        },
    ),
    "fleet": (
        "Many hosts at once: poll, watch, run a script on each.",
        {
            "poll": ("fleet:poll", "Ask every host for its runspaces once."),
            "watch": ("fleet:watch", "Ask every host again and again, and tell what changes."),
            "run": ("fleet:run", "Run a script on every host."),
        },
    ),
}


def _add(app: App, commands: dict[str, tuple[str, str]]) -> None:
    for word, (function, summary) in commands.items():
        app.command(f"{_COMMANDS}.{function}", name=word, help=summary)


app: App = App(
    name="srs",
    help="Run PowerCLI scripts on a Script Runtime Service for vSphere, from a shell.",
    help_epilogue=_EPILOGUE,
    help_format="plaintext",
    version=__version__,
    default_parameter=Parameter(negative=(), show_default=False),
    suppress_keyboard_interrupt=False,
)
_add(app, _TOP)
for _word, (_help, _commands) in _GROUPS.items():
    _group = App(name=_word, help=_help)
    _add(_group, _commands)
    app.command(_group)
# The entry point hands the command line over before it comes here: the simulator has a parser of its own.
app.command("srs_vsphere.simulator.command:main", name="simulator", help="Serve simulated hosts.")
app.command(
    f"{_COMMANDS}.completion:install", name="--install-completion", help="Let the shell complete commands."
)
