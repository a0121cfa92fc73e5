"""The files of the test index: which uploads it accepts, and which files it lists."""

import hashlib
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from packaging.utils import canonicalize_name

from tests.servers.pypi_rules import Form, problems_of
from wheelrelay.filenames import dist_file
from wheelrelay.model import DistFile, Kind

WINDOW = timedelta(days=14)
HELP = "See https://pypi.org/help/#file-name-reuse for more information."


@dataclass(frozen=True, slots=True)
class Published:
    """A file that the index has.

    Attributes:
        file: name, project and version; size and upload time.
        content: its bytes.
        shown_at: when the Simple API begins to list it, by the monotonic clock.
    """

    file: DistFile
    content: bytes
    shown_at: float

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()


class Stock:
    """The files of the index; thread-safe.

    Attributes:
        files: the files by filename.
        statuses: of projects (PEP 792).
        lag: seconds until a new file is listed.
        max_file_size: bytes.
    """

    def __init__(self) -> None:
        self.files: dict[str, Published] = {}
        self.statuses: dict[str, str] = {}
        self.lag = 0.0
        self.max_file_size = 100 << 20
        self._used: set[str] = set()
        self._changing = threading.Lock()

    def delete(self, filename: str) -> None:
        """Delete a file; its name cannot be used again."""
        with self._changing:
            del self.files[filename]

    def lose(self, filename: str) -> None:
        """Remove a file as if it had never been uploaded."""
        with self._changing:
            del self.files[filename]
            self._used.discard(filename)

    def take(self, path: Path) -> None:
        """Add a file without the upload API and without any check."""
        content = path.read_bytes()
        file = dist_file(path.name, size=len(content), upload_time=datetime.now(UTC))
        with self._changing:
            self.files[path.name] = Published(file, content, monotonic())
            self._used.add(path.name)

    def show_all(self) -> None:
        """List all files from now on."""
        with self._changing:
            self.files = {name: replace(there, shown_at=0.0) for name, there in self.files.items()}

    def yank(self, filename: str, reason: str | None = "") -> None:
        """Mark a file as yanked (PEP 592), or with no reason as restored."""
        self._change(filename, yanked=reason)

    def age(self, **time: float) -> None:
        """Make all files older; see `datetime.timedelta` for the arguments."""
        for name, there in list(self.files.items()):
            assert there.file.upload_time
            self._change(name, upload_time=there.file.upload_time - timedelta(**time))

    def digests(self) -> dict[str, str]:
        """Return the sha256 of all files by name."""
        with self._changing:
            return {name: there.sha256 for name, there in self.files.items()}

    def publish(self, form: Form) -> tuple[int, str]:
        """Accept a file, or refuse it with the reason."""
        refusal = next(problems_of(form), None)
        if refusal:
            return 400, refusal
        if len(form.content) > self.max_file_size:
            return 400, f"File too large. Limit for project is {self.max_file_size >> 20} MB."
        now = datetime.now(UTC)
        file = dist_file(form.filename, size=len(form.content), upload_time=now)
        with self._changing:
            answer = self._refusal(file, form, now)
            if answer is None:
                self.files[file.filename] = Published(file, form.content, monotonic() + self.lag)
                self._used.add(file.filename)
        return answer or (200, "OK")

    def root(self) -> dict[str, object]:
        """Return the root page of the Simple API in JSON."""
        names = sorted({there.file.project for there in self.files.values()})
        return {"meta": {"api-version": "1.4"}, "projects": [{"name": one} for one in names]}

    def page(self, name: str) -> dict[str, object] | None:
        """Return a project's page in JSON; ``None`` if no file of it is listed."""
        project = canonicalize_name(name)
        with self._changing:
            mine = [there for there in self.files.values() if there.file.project == project]
            state = self.statuses.get(project, "active")
        shown = [there for there in mine if there.shown_at <= monotonic() and state != "quarantined"]
        return _document(project, shown, state) if shown or state != "active" else None

    def _refusal(self, file: DistFile, form: Form, now: datetime) -> tuple[int, str] | None:
        """Return the refusal of a file that is not new, or whose release is closed."""
        if self.statuses.get(file.project) in ("archived", "quarantined"):
            return 403, f"Project {file.project} is {self.statuses[file.project]}."
        there = self.files.get(file.filename)
        if there and there.sha256 == form.sha256:
            return 200, "OK"
        copy = next((name for name, one in self.files.items() if one.sha256 == form.sha256), None)
        if there or copy:
            return 400, f"File already exists ({copy or file.filename!r}). {HELP}"
        if file.filename in self._used:
            return 400, f"This filename was previously used by a file that has since been deleted. {HELP}"
        release = [
            one.file
            for one in self.files.values()
            if (one.file.project, one.file.version) == (file.project, file.version)
        ]
        if file.kind is Kind.SDIST and any(one.kind is Kind.SDIST for one in release):
            return 400, "Only one sdist may be uploaded per release."
        if any(one.upload_time and now - one.upload_time > WINDOW for one in release):
            return 400, "This release is closed: its first file is more than 14 days old."
        return None

    def _change(self, filename: str, **changes: object) -> None:
        with self._changing:
            there = self.files[filename]
            self.files[filename] = replace(there, file=replace(there.file, **changes))  # type: ignore[arg-type]


def _document(project: str, files: list[Published], state: str) -> dict[str, object]:
    """Return a project's page in JSON."""
    return {
        "meta": {"api-version": "1.4"},
        "name": project,
        "project-status": {"status": state},
        "versions": sorted({str(there.file.version) for there in files}),
        "files": [
            {
                "filename": there.file.filename,
                "url": f"/files/{there.file.filename}",
                "hashes": {"sha256": there.sha256},
                "size": there.file.size,
                "upload-time": there.file.upload_time.isoformat() if there.file.upload_time else None,
                "yanked": False if there.file.yanked is None else there.file.yanked or True,
            }
            for there in files
        ],
    }
