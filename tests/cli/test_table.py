"""The table of built-in theorems proved by several processes: the same reports, the same order."""

import functools
import json
import os
import signal

import jax
import pytest

from purenet.cli import main, prove, table
from purenet.prove import builtin

NAMES = ("tanh.derivative", "sigmoid.derivative", "relu.pullback")
SETTINGS = {"depth": 1, "limit": 30.0}
ROW = functools.partial(prove.row, width=20)


def test_one_process_for_each_core_but_none_for_a_few_theorems(monkeypatch):
    monkeypatch.setattr(table, "_cores", lambda: 4)
    assert [table.processes(n) for n in (1, 15, 16, 24, 100)] == [1, 1, 2, 3, 4]


def test_as_many_processes_as_are_asked_for_but_not_more_than_theorems():
    assert [table.processes(3, wanted) for wanted in (1, 2, 8)] == [1, 2, 3]


def test_an_accelerator_is_not_shared_unless_asked_for(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert (table.processes(100), table.processes(100, 2)) == (1, 2)


def test_the_option_reaches_the_table(capsys, monkeypatch):
    seen = []

    def proved(names, settings, show, count):
        seen.append((list(names), settings, count))
        return iter(())

    monkeypatch.setattr(table, "proved", proved)
    main(["prove", "--processes", "2", "--depth", "1"])
    names = [name for name, _ in builtin.theorems(depth=1)]
    assert seen == [(names, {"depth": 1}, 2)]
    assert capsys.readouterr().out.startswith("0 theorems")


def test_no_process_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["prove", "--processes", "0"])
    assert "argument --processes: expected" in capsys.readouterr().err


@pytest.mark.slow  # each process imports JAX
def test_processes_report_what_one_process_reports():
    alone, shared = (list(table.proved(NAMES, SETTINGS, ROW, count)) for count in (1, 2))
    assert [json_of(r) for r in shared] == [json_of(r) for r in alone]
    assert [r.text.split()[:2] for r in shared] == [[name, "proved"] for name in NAMES]


def json_of(report):
    read = json.loads(json.dumps(report.json))
    del read["seconds"]
    return read


@pytest.mark.slow
def test_a_process_that_is_killed_is_told():
    with pytest.raises(OSError, match=r"a process was killed; --processes 1"):
        list(table.proved(NAMES, SETTINGS, killed, 2))


def killed(theorem):
    os.kill(os.getpid(), signal.SIGKILL)
