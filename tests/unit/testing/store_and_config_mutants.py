"""Stores and configurations that each break a case of the contract."""

import threading
from contextlib import nullcontext
from io import BytesIO
from time import sleep
from typing import Literal
from zipfile import ZipFile

from pydantic import ConfigDict, Field, PrivateAttr
from tests.unit.testing.honest_backends import (
    PagedStore,
    ShelfConfig,
    WholeStore,
    breaks,
)

from wheelrelay.config import SecretValue
from wheelrelay.errors import Rejected
from wheelrelay.model import ProjectStatus
from wheelrelay.testing import ConfigContract, MemoryStore, StoreContract


@breaks(StoreContract.test_threads_can_put_list_and_read_concurrently)
class ListsWhileItChanges(WholeStore):
    def put(self, staged):
        sleep(0.05)
        super().put(staged)

    def iter_files(self, project):
        for kept in self._files.values():
            yield kept.file
            sleep(0.1)


@breaks(StoreContract.test_existing_pages_stay_current)
class LeavesPagesStale(PagedStore):
    def finalize(self, projects):
        pass


@breaks(StoreContract.test_existing_pages_stay_current)
class ForgetsPagesOfWhatWentAway(PagedStore):
    def delete(self, files):
        for file in files:
            self._objects.delete_object(file.filename)


@breaks(StoreContract.test_failed_replacement_keeps_the_old_bytes)
class DeletesBeforeItReplaces(PagedStore):
    def replace(self, staged):
        self._objects.delete_object(staged.filename)
        super().replace(staged)


@breaks(StoreContract.test_recorded_state_of_the_upstream_is_listed)
class ForgetsTheUpstream(PagedStore):
    def record_upstream(self, project, files, status, provenance):
        pass


@breaks(StoreContract.test_recorded_state_of_the_upstream_is_listed)
class KeepsNoStatus(PagedStore):
    def record_upstream(self, project, files, status, provenance):
        super().record_upstream(project, files, None, provenance)


@breaks(StoreContract.test_recorded_state_of_the_upstream_is_listed)
class ForgetsTheStatus(PagedStore):
    def record_upstream(self, project, files, status, provenance):
        super().record_upstream(project, files, status or ProjectStatus(), provenance)


@breaks(StoreContract.test_recorded_state_of_the_upstream_is_listed)
class KeepsNoProvenance(PagedStore):
    def record_upstream(self, project, files, status, provenance):
        super().record_upstream(project, files, status, {})


@breaks(StoreContract.test_yanked_files_stay_yanked_until_they_are_restored)
class YanksInADryRun(PagedStore):
    def yank(self, files, reason, *, dry_run=False):
        return super().yank(files, reason)


@breaks(StoreContract.test_yanked_files_stay_yanked_until_they_are_restored)
class LetsTheUpstreamRestore(PagedStore):
    def record_upstream(self, project, files, status, provenance):
        for file in files:
            super().yank([file], file.yanked)
        super().record_upstream(project, files, status, provenance)


@breaks(StoreContract.test_yanked_files_stay_yanked_until_they_are_restored)
class YanksEverything(PagedStore):
    def yank(self, files, reason, *, dry_run=False):
        return super().yank(list(self.inventory("sample")), reason, dry_run=dry_run)[:1]


@breaks(StoreContract.test_pages_list_other_files_next_to_a_damaged_one)
class ReadsEveryArchive(PagedStore):
    def rebuild_pages(self):
        for file in self.iter_files(None):
            with self.open(file) as stream, ZipFile(BytesIO(stream.read(-1))) as archive:
                archive.testzip()
        super().rebuild_pages()


@breaks(ConfigContract.test_type_is_one_literal)
class TakesAnyType(ShelfConfig):
    type: str = "shelf"


@breaks(ConfigContract.test_type_is_one_literal)
class HasTwoTypes(ShelfConfig):
    type: Literal["shelf", "rack"] = "shelf"


@breaks(ConfigContract.test_refuses_unknown_keys)
class IgnoresUnknownKeys(ShelfConfig):
    model_config = ConfigDict(extra="ignore")


@breaks(ConfigContract.test_is_immutable)
class CanBeChanged(ShelfConfig):
    model_config = ConfigDict(frozen=False)


@breaks(ConfigContract.test_describes_every_key)
class DescribesNothing(ShelfConfig):
    row: int = 1


@breaks(ConfigContract.test_has_a_json_schema)
class HoldsAThingWithoutSchema(ShelfConfig):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    event: threading.Event | None = Field(default=None, description="Something alive.")


@breaks(ConfigContract.test_opens_more_than_once)
class OpensOnce(ShelfConfig):
    _opened: bool = PrivateAttr(default=False)

    def open(self):
        if self._opened:
            raise Rejected("It is open already.")
        self._opened = True
        return super().open()


@breaks(ConfigContract.test_opens_more_than_once)
class OpensAsNothing(ShelfConfig):
    def open(self):
        return nullcontext()


@breaks(ConfigContract.test_is_pickled_without_secret_values)
class RemembersItsSecret(ShelfConfig):
    _value: str = PrivateAttr(default="")

    def open(self):
        self._value = SecretValue(self.token).get()
        return super().open()


@breaks(ConfigContract.test_does_not_show_secret_values)
class ShowsItsSecret(ShelfConfig):
    def __repr__(self) -> str:
        return f"ShowsItsSecret(token={self.token.resolve()})"


class Talkative(MemoryStore):
    """Shows what opened it."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    def __repr__(self) -> str:
        return f"Talkative({self.token!r})"


@breaks(ConfigContract.test_does_not_show_secret_values)
class OpensAsSomethingTalkative(ShelfConfig):
    def open(self):
        return nullcontext(Talkative(SecretValue(self.token).get()))
