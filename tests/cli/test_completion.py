"""Shells complete commands, options, choices and files."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cli.running import Shell

#: Where each shell's completions go, below the home folder.
INSTALLED = {
    "bash": ".local/share/bash-completion/completions/srs",
    "zsh": ".zsh/completions/_cyclopts_srs",
    "fish": ".config/fish/completions/srs.fish",
    "powershell": ".config/powershell/Completions/srs.ps1",
}
#: What a shell's own machinery does when the tab key is pressed.
TAB = """
source "$1"; shift
function=$(complete -p srs | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_WORDS=(srs "$@"); COMP_CWORD=$#
"$function" srs "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("shell", INSTALLED)
def test_completions_are_installed(tmp_path, shell):
    done = Shell(None, tmp_path)("--install-completion", "--shell", shell)
    assert done.returncode == 0, done
    script = (tmp_path / INSTALLED[shell]).read_text(encoding="utf-8")
    for word in ("runspace", "older", "wait-quota", "ndjson", "dask"):
        assert word in script


def test_bash_completes(tmp_path):
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("this system has no bash")
    srs = Shell(None, tmp_path)
    srs("--install-completion", "--shell", "bash")
    for file in ("report.ps1", "hosts.csv"):
        (tmp_path / file).touch()

    def tab(*words):
        """What the last word may become."""
        command = [bash, "--norc", "-c", TAB, "bash", INSTALLED["bash"], *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=srs.environment(), capture_output=True, text=True, timeout=250
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    assert tab("fl") == ["fleet"]
    assert tab("runspace", "") == ["ls", "get", "create", "rm"]
    assert tab("runspace", "rm", "--ol") == ["--older"]
    assert tab("runspace", "ls", "--state", "e") == ["error"]
    assert tab("script", "ls", "-o", "") == ["table", "json", "ndjson", "yaml", "name"]
    assert tab("run", "rep") == ["report.ps1"]
    assert tab("fleet", "poll", "-f", "h") == ["hosts.csv"]
