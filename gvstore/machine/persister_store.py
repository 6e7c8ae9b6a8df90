"""The repository as a persister: what its runs recorded is what is kept.

    repo = gv.open(".")
    app = (
        ApplicationBuilder()...
        .with_identifiers(app_id="chat")
        .initialize_from(StorePersister(repo), resume_at_next_action=True, default_state={}, default_entrypoint="ask")
        .build()
    )
    with repo:
        app.run(halt_after=["answer"])

Nothing is saved a second time.  An application's present is its newest run,
also one that `gv rewind` made: so a machine is taken back, and goes on from
there, with all of its history still to be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gvstore.machine.persister import (
    BaseStatePersister,
    PersistedStateData,
    PersisterFault,
    Status,
    UnknownApplication,
    checked_step,
    kept_values,
    partition_of,
    text_of_instant,
)
from gvstore.machine.steps import MachineCall, Step
from gvstore.store.active import active_store

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.journal.run import Run
    from gvstore.machine.state import State


class StorePersister(BaseStatePersister):
    """Hands out the steps of applications that a repository's runs recorded."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo

    def save(
        self,
        partition_key: str | None,
        app_id: str,
        sequence_id: int,
        position: str,
        state: State[Any],
        status: Status,
        **kwargs: Any,
    ) -> None:
        """Looks that the step is being recorded into this repository: that keeps it.

        Raises:
            PersisterFault: it is not.
        """
        checked_step(app_id, sequence_id, position, state, status)
        store = active_store()
        if store is None or getattr(store, "repository", None) is not self.repo:
            raise PersisterFault("this step is not recorded: its repository is not active", hint="Run the application in `with repo:`, or gv.use(repo).")

    def load(
        self, partition_key: str | None, app_id: str | None, sequence_id: int | None = None, **kwargs: Any
    ) -> PersistedStateData | None:
        """Returns a step of an application, by default its last, or None if there is none; without `app_id`, the partition's last.

        Raises:
            CorruptObject: what was recorded of it cannot be read.
        """
        partition = partition_of(partition_key)
        for run in self._runs(partition, app_id):
            found = self._step_of(run, sequence_id)
            if found is not None:
                return found
        return None

    def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns the applications of a partition, the one with the newest run first."""
        return list(dict.fromkeys(str(run.labels["app"]) for run in self._runs(partition_of(partition_key), None)))

    def runs(self, app_id: str, partition_key: str | None = None) -> list[Run[Any]]:
        """Returns the runs of an application, the newest first.

        Raises:
            UnknownApplication: there are none; names what is near.
        """
        found = list(self._runs(partition_of(partition_key), app_id))
        if not found:
            raise UnknownApplication.named(app_id, partition_of(partition_key), self.list_app_ids(partition_key))
        return found

    def _runs(self, partition: str, app_id: str | None) -> Iterator[Run[Any]]:
        for row in self.repo.refs.runs():
            run = self.repo.runs[row.number]
            labels = run.labels
            if "app" not in labels or labels.get("partition", "") != partition or run.record.root is None:
                continue
            if app_id is None or labels["app"] == app_id:
                yield run

    def _step_of(self, run: Run[Any], sequence_id: int | None) -> PersistedStateData | None:
        """Returns a step of a run, or its last; None if it is not in it."""
        machine = MachineCall.of_run(run.invocation, run.record)
        steps = machine.taken()
        if sequence_id is not None:
            steps = [each for each in steps if each[0] == sequence_id]
        if not steps:
            return None
        number, step = steps[-1]
        is_last = step.index == len(machine) - 1
        state = machine.last_state() if is_last and step.status == "ok" else machine.state_after(step.index + (step.status == "ok"))
        return _data(run, machine, number, step, state)


def _data(run: Run[Any], machine: MachineCall, number: int, step: Step, state: State[Any]) -> PersistedStateData:
    error = step.call.get_raised()
    return PersistedStateData(
        partition_key=machine.partition_key or "",
        app_id=machine.app_id or "",
        sequence_id=number,
        position=step.action,
        state=state,
        created_at=text_of_instant(run.record.started_at),
        status="completed" if step.status == "ok" else "failed",
        inputs=kept_values(step.call.args["inputs"]),
        result=step.result,
        exception=None if error is None else f"{type(error).__name__}: {error}",
    )


