"""P7: CI's upload of many wheels into object storage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from tests.benchmarks.commands import BASELINE, PARALLEL, python
from tests.benchmarks.environment import Environment
from tests.benchmarks.material import Wheels, shared_wheels
from tests.benchmarks.measure import Measured
from tests.benchmarks.peers import peer
from tests.benchmarks.table import FLOOR, OURS, Result, compared, seconds
from tests.servers.seaweed import run_seaweed
from tests.servers.swift import run_swift

VOLUME = 1024
"""Megabytes in a volume of SeaweedFS (its default is 30 GB), so that all files of a run fit into one."""

Command = Callable[[str], Sequence[str]]
"""Gives the command line that puts all wheels into a container."""


def into_swift(environment: Environment) -> Result:
    """P7 into OpenStack Swift itself, beside its own client; rclone is shown, too."""
    folder = environment.folder("P7-swift")
    (folder / "servers").mkdir()
    with run_swift(folder / "servers") as swift:
        login = {"AUTH": f"{swift.auth_url}/v1.0", "USER": swift.username, "KEY": swift.password}
        env = {
            **{f"ST_{name}": value for name, value in login.items()},
            **{f"RCLONE_CONFIG_PLACE_{name}": value for name, value in {**login, "TYPE": "swift"}.items()},
        }
        place = _Place(environment, folder, env, swift.make_container, swift.names)
        upload = [peer("swift"), "--quiet", "upload", "--object-name", "."]
        peers: dict[str, Command] = {"swift": lambda box: [*upload, box, str(place.wheels.folder)]}
        return place.compete("Swift", peers, "swift", goal=1.2, beside=["swift"])


def into_s3(environment: Environment) -> Result:
    """P7 into SeaweedFS by its S3 API, beside rclone; the AWS command line and s3fs are shown, too."""
    folder = environment.folder("P7-s3")
    (folder / "servers").mkdir()
    with run_seaweed(folder / "servers", volume_megabytes=VOLUME) as server:
        keys = {"ACCESS_KEY_ID": server.access_key_id, "SECRET_ACCESS_KEY": server.secret_access_key}
        more = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": server.url}
        env = {
            **{f"AWS_{name}": value for name, value in keys.items()},
            "AWS_ENDPOINT_URL": server.url,
            "AWS_DEFAULT_REGION": server.region,
            **{f"RCLONE_CONFIG_PLACE_{name}": value for name, value in {**keys, **more}.items()},
        }
        client = server.client()

        def names(bucket: str) -> list[str]:
            return [found["Key"] for found in client.list_objects_v2(Bucket=bucket)["Contents"]]

        place = _Place(environment, folder, env, lambda name: client.create_bucket(Bucket=name), names)
        script = [peer("s3fs", "python"), str(BASELINE / "put_all.py"), server.url]
        peers = {
            "s3fs": lambda box: [*script, box, *map(str, place.wheels.paths)],
            "aws s3 cp": lambda box: [
                *(peer("awscli", "aws"), "s3", "cp", "--recursive", "--only-show-errors"),
                *(str(place.wheels.folder), f"s3://{box}/"),
            ],
        }
        return place.compete("S3 (SeaweedFS)", peers, "s3", goal=1.0, beside=["rclone"])


@dataclass(frozen=True, slots=True)
class _Place:
    """A server that has an empty container for each run.

    Attributes:
        environment: of the whole benchmark.
        folder: where commands run.
        env: by which all tools find the server.
        make: makes a container of some name.
        found: the names of all objects in a container.
    """

    environment: Environment
    folder: Path
    env: Mapping[str, str]
    make: Callable[[str], object]
    found: Callable[[str], Sequence[str]]
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def wheels(self) -> Wheels:
        """The files."""
        return shared_wheels(self.environment)

    def compete(
        self, where: str, peers: Mapping[str, Command], scheme: str, *, goal: float, beside: Sequence[str]
    ) -> Result:
        """Let wheelrelay and some peers put all wheels, in turn.

        Args:
            where: the place, for the table.
            peers: the peers besides rclone.
            scheme: the scheme of the place's addresses.
            goal: of the ratio to the best of the peers in ``beside``. The others are shown without a goal.
            beside: the peers that the goal refers to.
        """
        commands: dict[str, Command] = dict(peers)
        commands["rclone"] = lambda box: [
            *(peer("rclone"), "copy", "--quiet", "--transfers", PARALLEL),
            *(str(self.wheels.folder), f"place:{box}"),
        ]
        commands[OURS] = lambda box: self.environment.wheelrelay(
            "push", str(self.wheels.folder), "--to", f"{scheme}://{box}"
        )
        files = list(map(str, self.wheels.paths))
        commands[FLOOR] = lambda box: python("floor_push.py", scheme, box, *files)
        contenders = {name: partial(self._put, command) for name, command in commands.items()}
        runs = seconds(self.environment.compete(contenders, warm=[OURS]))
        others = [name for name in commands if name not in (OURS, *beside)]
        work = f"push {self.wheels} into {where}"
        rows = [
            compared("P7", work, goal, runs, beside),
            *(compared("P7", work, 0, runs, [name]) for name in others),
        ]
        return Result(rows, runs)

    def _put(self, command: Command) -> Measured:
        box = f"wheels-{next(self._numbers)}"
        self.make(box)
        measured = self.environment.measure(self.folder, command(box), **self.env)
        expected = {path.name for path in self.wheels.paths}
        if lost := expected - {name.rpartition("/")[2] for name in self.found(box)}:
            raise RuntimeError(f"{len(lost)} files did not arrive with {command(box)}.")
        return measured
