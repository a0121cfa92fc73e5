"""Releases are a store like every other, and artifacts a source."""

import pytest

from wheelrelay.testing import ConfigContract, SourceContract, StoreContract


class TestReleases(StoreContract):
    awkward_names = tuple(name for name in StoreContract.awkward_names if "!" not in name)

    @pytest.fixture
    def store(self, release_config):
        with release_config(create=True, tag="v{version}").open() as store:
            yield store


class TestArtifacts(SourceContract):
    @pytest.fixture
    def serve(self, github, artifacts_config):
        def served(folder):
            run = github.add_run()
            files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
            github.add_artifact(run, "wheels", files)
            return artifacts_config(run=run.id)

        with pytest.MonkeyPatch.context():
            opened = []

            def serve(folder):
                context = served(folder).open()
                opened.append(context)
                return context.__enter__()

            yield serve
            for context in opened:
                context.__exit__(None, None, None)


class TestReleaseConfig(ConfigContract):
    @pytest.fixture
    def config(self, release_config):
        return release_config()


class TestArtifactsConfig(ConfigContract):
    @pytest.fixture
    def config(self, artifacts_config):
        return artifacts_config(run=1)
