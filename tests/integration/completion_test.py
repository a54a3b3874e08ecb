"""Completion at Tab, in the shells themselves: bash, and zsh and fish where they are installed."""
import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from assay_support import BINARY, AssayTest

PROMPT = "ready> "
LIMIT_S = 30


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, command, env, folder):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, env)
        self.seen = ""

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def wait_for(self, text):
        """All that was shown up to now, once `text` is in it. Escape sequences are left out."""
        end = time.monotonic() + LIMIT_S
        while text not in self.shown():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {text!r} in {self.shown()!r}")
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.seen += os.read(self.terminal, 65536).decode("utf-8", "replace")
        return self.shown()

    def shown(self):
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r", "", self.seen)

    def close(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class Words(AssayTest):
    """What the scripts ask for."""

    def words(self, *words, **kwargs):
        first, *rest = self.assay("completion", "words", "--", *words, **kwargs)[0].splitlines()
        return first, [line.split("\t")[0] for line in rest]

    def test_commands_flags_and_values_come_from_the_tables(self):
        self.assertEqual(self.words("runs", "re"), ("none", ["reindex"]))
        self.assertEqual(self.words("run", "--color", ""), ("none", ["auto", "always", "never"]))
        self.assertEqual(self.words("run", "--gguf", ""), ("files", []))
        self.assertIn("--max-concurrency", self.words("run", "--m")[1])

    def test_runs_and_baselines_that_are_kept(self):
        server = self.mock()
        run_id = self.run_prompt(server.url, "-r", "2")["run_id"]
        self.assay("baseline", "set", "last", "--name", "nightly")
        self.assertEqual(self.words("report", "")[1], ["last", "nightly", run_id[:8]])
        self.assertEqual(self.words("runs", "show", run_id[:10])[1], [run_id])
        self.assertEqual(self.words("baseline", "rm", "")[1], ["nightly"])

    def test_no_data_directory_is_made(self):
        self.assertEqual(self.words("report", ""), ("none", ["last"]))
        self.assertFalse(self.data.exists())

    def test_a_broken_configuration_breaks_no_command_line(self):
        (self.work / "assay.yaml").write_text("nonsense: [\n")
        self.assertEqual(self.words("runs", "l"), ("none", ["list"]))
        self.assertEqual(self.words("report", "l"), ("none", ["last"]))

    def test_an_unknown_shell_is_an_error(self):
        self.assay("completion", "tcsh", code=2)


class Shells(AssayTest):
    def setUp(self):
        super().setUp()
        programs = self.box / "bin"
        programs.mkdir()
        (programs / "assay").symlink_to(BINARY)
        self.shell_env = {**self.env, "PATH": f"{programs}:{os.environ['PATH']}", "TERM": "dumb",
                          "INPUTRC": "/dev/null", "HISTFILE": "", "LC_ALL": "C.UTF-8"}
        (self.work / "model.gguf").touch()
        (self.work / "with blank.gguf").touch()

    def script(self, shell, name):
        path = self.box / name
        path.write_text(self.assay("completion", shell)[0])
        return path

    def need(self, shell):
        if shutil.which(shell) is None:
            self.skipTest(f"{shell} is not installed")

    def completed(self, command, setup, typed, expected):
        shell = Shell(command, self.shell_env, self.work)
        try:
            shell.type(setup + "\n")
            shell.wait_for("\n" + PROMPT)
            shell.type(typed + "\t")
            shell.wait_for(PROMPT + expected)
        finally:
            shell.close()

    # What is typed before the Tab, and what stands there after it.
    CASES = (("assay comple", "assay completion "),
             ("assay run --shape llama-3.2-1b:q8", "assay run --shape llama-3.2-1b:q8_0 "),
             ("assay run --color=al", "assay run --color=always "),
             ("assay run --gguf mod", "assay run --gguf model.gguf "),
             ("assay run --gguf=wi", "assay run --gguf=with\\ blank.gguf "))

    def test_bash(self):
        script = self.script("bash", "assay.bash")
        for typed, expected in self.CASES:
            with self.subTest(typed):
                self.completed(["bash", "--norc", "--noprofile", "-i"],
                               f". {script}; PS1='{PROMPT}'", typed, expected)

    def test_the_bash_script_has_no_lint(self):
        self.need("shellcheck")
        subprocess.run(["shellcheck", "--shell", "bash", self.script("bash", "assay.bash")], check=True)

    def test_zsh(self):
        self.need("zsh")
        self.script("zsh", "_assay")
        for typed, expected in self.CASES:
            with self.subTest(typed):
                self.completed(["zsh", "-f", "-i"],
                               f"unsetopt zle_bracketed_paste prompt_sp; fpath=({self.box} $fpath); "
                               f"autoload -Uz compinit; compinit -u -D; PS1='{PROMPT}'", typed, expected)

    def test_fish(self):
        self.need("fish")
        script = self.script("fish", "assay.fish")

        def candidates(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
                                  env=self.shell_env, cwd=self.work, check=True, capture_output=True,
                                  text=True, timeout=LIMIT_S)
            return [line.split("\t")[0] for line in done.stdout.splitlines()]

        self.assertEqual(candidates("assay comple"), ["completion"])
        self.assertEqual(candidates("assay run --shape llama-3.2-1b:q8"), ["llama-3.2-1b:q8_0"])
        self.assertEqual(candidates("assay run --color=al"), ["--color=always"])
        self.assertEqual(candidates("assay run --gguf mod"), ["model.gguf"])
        self.assertEqual(candidates("assay run --gguf=mod"), ["--gguf=model.gguf"])


if __name__ == "__main__":
    unittest.main()
