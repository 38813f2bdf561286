"""The command as its users meet it: its output and its exit code; where a process matters, in one of its own."""

import contextlib
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import pandas as pd
import pytest

from experiments import __version__, cli
from experiments.store.columns import TABLES
from experiments.store.reading import load
from tests.experiments.helpers import TINY, command
from tests.processes import ROOT, alive, environment, run, started


@pytest.fixture
def here(tmp_path, monkeypatch, capfd):
    """Return what runs gradstab in this process, in a folder of its own, as `command` does in another."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            code = cli.main(list(arguments))
        except SystemExit as end:  # what argparse does after its help
            code = end.code
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    return run


def test_version(tmp_path):
    done = command("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"gradstab {__version__}\n", "")


def test_help_lists_every_command(tmp_path):
    done = command("--help", cwd=tmp_path)
    assert done.returncode == 0
    names = {path.stem for path in (ROOT / "experiments" / "commands").glob("[a-z]*.py")}
    assert all(f"  {name} " in done.stdout for name in names)
    assert {"run", "report", "export", "data"} <= names


def test_help_of_run_lists_keys_groups_and_choices(here):
    out = here("run", "--help").stdout
    for word in (
        "depth=null",
        "weight_decay=0.0",
        "leaky_relu",
        "glorot_standard",
        "per_layer",
        "schedule        constant (warmup)",
        "dropout         inverted (rate)",
        "epochs=null",
        "depth_by_activation",
        "--dry-run",
        "--multirun",
    ):
        assert word in out


def test_a_single_run_prints_norms_factor_and_verdict(tmp_path, here):
    done = here("run", *TINY, "depth=4", "activation=sigmoid", "steps=2", "name=one")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()[2:8]] == ["0", "1", "2", "3", "4", "5"]
    assert "█" in done.stdout
    assert "factor per hidden layer" in done.stdout
    assert "signal: vanishing" in done.stdout
    written = {path.name for path in (tmp_path / "results" / "one").iterdir()}
    assert written == {"runs.parquet", "layers.parquet", "steps.parquet", "histograms.parquet", "provenance.json"}
    assert {path.name for path in tmp_path.iterdir()} == {"results"}  # Hydra leaves nothing behind


def test_a_multirun_fills_the_tables(tmp_path, here):
    done = here("run", "depth=2", *TINY, "-m", "activation=tanh,relu", "seed=range(2)", "steps=2", "name=many")
    assert (done.returncode, done.stderr) == (0, "")
    results = load(tmp_path / "results" / "many")
    assert results.runs["activation"].tolist() == ["tanh", "tanh", "relu", "relu"]
    assert results.runs["seed"].tolist() == [0, 1, 0, 1]
    assert len(results.layers) == 4 * 3 * 4
    assert len(results.steps) == 4 * 3


def test_json_is_all_that_stdout_holds(tmp_path, here):
    done = here("run", *TINY, "depth=2", "steps=1", "--json")
    (row,) = json.loads(done.stdout)
    assert row["status"] == "ok"
    assert len(row["delta_norm"]) == 4
    assert row["batch_size"] is None


def test_the_same_command_skips_what_is_done(tmp_path, here):
    arguments = ("run", *TINY, "depth=2", "steps=1")
    here(*arguments)
    done = here(*arguments)
    assert done.returncode == 0
    assert "1 done before" in done.stdout


def test_a_dry_run_writes_nothing(tmp_path, here):
    done = here("run", "-m", *TINY, "depth=2,3", "seed=range(2)", "steps=5", "--dry-run", "--json")
    plan = json.loads(done.stdout)
    assert (plan["runs"], plan["done"], plan["stacks"]) == (4, 0, 2)
    assert min(plan["seconds"], plan["memory_mb"], plan["disk_mb"]) >= 0
    assert list(tmp_path.iterdir()) == []


def test_settings_of_another_numpy_are_not_mixed_without_a_word(tmp_path, here):
    here("run", *TINY, "depth=2", "steps=1", "name=x")
    path = tmp_path / "results" / "x" / "provenance.json"
    provenance = json.loads(path.read_text())
    provenance["versions"]["numpy"] = "1.0.0"
    path.write_text(json.dumps(provenance))
    done = here("run", *TINY, "depth=2", "steps=2", "name=x", "--extend")
    assert done.returncode == 0
    assert "numpy 1.0.0" in done.stderr


def test_an_exploding_run_is_no_error(tmp_path, here):
    done = here("run", "init.scale=10", "depth=50", "activation=relu", "data.n_samples=50", "steps=5", "name=boom")
    assert (done.returncode, done.stderr) == (0, "")
    results = load(tmp_path / "results" / "boom")
    run = results.runs.iloc[0]
    assert run["status"] == run["verdict"] == "diverged"
    assert run["diverged_at_step"] == results.layers["step"].max()
    before = results.layers[results.layers["step"] < run["diverged_at_step"]]
    assert len(before)
    assert before["finite"].all()
    last = results.layers[results.layers["step"] == run["diverged_at_step"]]
    assert not last["finite"].all() or not results.steps["loss"].map(pd.notna).all()


def test_cfg_prints_the_config_and_stops(tmp_path, here):
    done = here("run", "--cfg", "job", "--package", "init", "init=he")
    assert done.returncode == 0
    assert "bpcore.initializers.he" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_export_writes_csv_and_json(tmp_path, here):
    here("run", *TINY, "depth=2", "steps=1", "name=one")
    done = here("export", "results/one", "--csv")
    assert done.returncode == 0
    for name in ("runs", *TABLES):
        frame = pd.read_csv(tmp_path / "results" / "one" / "csv" / f"{name}.csv")
        assert len(frame) == len(getattr(load(tmp_path / "results" / "one"), name))
    assert json.loads(here("export", "results/one", "--json").stdout)[0]["depth"] == 2


def test_portable_numerics_start_the_process_anew(tmp_path):
    done = command("run", *TINY, "depth=2", "steps=1", "numerics=portable", "name=p", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    provenance = load(tmp_path / "results" / "p").provenance
    assert provenance["numerics"] == ["portable"]
    if provenance["blas"][0]["internal_api"] == "openblas":
        assert provenance["blas"][0]["architecture"] == "Haswell"


def test_completion_knows_our_command(tmp_path):
    installed = command("-sc", "install=bash", cwd=tmp_path)
    assert "hydra_bash_completion" in installed.stdout
    done = command("-sc", "query=bash", cwd=tmp_path, env={"COMP_LINE": "gradstab run activation=s"})
    assert done.stdout.split() == ["activation=selu", "activation=sigmoid", "activation=silu", "activation=softplus", "activation=softsign"]


BAD = {
    "unknown command": ["fly"],
    "unknown flag": ["run", "--fast"],
    "unknown key": ["run", "dpeth=3"],
    "wrong type": ["run", "depth=deep"],
    "negative depth": ["run", "depth=-1"],
    "scale NaN": ["run", "init.scale=nan"],
    "batch larger than the data": ["run", "batch_size=2000"],
    "unknown choice": ["run", "activation=nope"],
    "unknown experiment": ["run", "+experiment=nope"],
    "bad job late in a sweep": ["run", "-m", "depth=1,2,-1"],
    "sweep without -m": ["run", "depth=1,2"],
    "no key=value": ["run", "depth"],
    "missing mnist": ["run", "data=mnist", "data.dir=nowhere"],
    "truncated idx file": ["run", "data=mnist", "data.dir=broken"],
    "no results folder": ["export", "nowhere"],
    "a folder of something else": ["export", "broken"],
    "a results folder of something else": ["run", "results_dir=.", "name=broken"],
    "no write permission": ["run", "results_dir=/proc/nowhere"],
    "fresh and extend": ["run", "--fresh", "--extend"],
    "an empty sweep": ["run", "-m", "seed=range(0)"],
    "more memory than there is": ["run", "width=10000000"],
    "a huge seed": ["run", "seed=99999999999999999999"],
    "an interpolation": ["run", "depth=${nope}"],
    "report of nothing": ["report", "nowhere"],
    "report without a folder": ["report"],
    "unknown data set": ["data", "imagenet"],
}


@pytest.fixture
def broken(tmp_path):
    """Make a folder of cut data files, alone in another."""
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (folder / name).write_bytes(b"\0\0\x08\x03\0\0")
    return folder


def assert_one_line(done, broken):
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.startswith("gradstab: error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert {path.name for path in broken.parent.iterdir()} == {"broken"}  # nothing half-written
    assert len(list(broken.iterdir())) == 2


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_exit_code_2(arguments, broken, here):
    assert_one_line(here(*arguments), broken)


@pytest.mark.parametrize("name", ["bad job late in a sweep", "report of nothing"])
def test_the_shell_sees_no_more_of_it(name, broken):
    assert_one_line(command(*BAD[name], cwd=broken.parent), broken)


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tmp_path):
    """A limit on file size stands in for a full disk: the write fails in the same place."""
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
        "from experiments.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", script, "run", *TINY, "depth=2", "steps=50", "name=full"]
    bare = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "PYTHONDONTWRITEBYTECODE": "1"}  # a cut .pyc would outlive the test
    done = run(words, cwd=tmp_path, env=bare)
    assert done.returncode == 2, done
    assert done.stderr.startswith("gradstab: error: cannot write")
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "results" / "full").glob("*.parquet"))
    assert not list((tmp_path / "results" / "full").glob(".*"))


def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(tmp_path, here):
    terminal, side = os.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    arguments = ["run", *TINY, "depth=3", "steps=60000", "record.every=60000", "name=bar"]
    with started(sys.executable, "-m", "experiments", *arguments, cwd=tmp_path, env=environment(), stderr=side) as process:
        os.close(side)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal ends with an error, not an end of file
            while chunk := os.read(terminal, 4096):
                shown += chunk
        os.close(terminal)
        assert process.wait(60) == 0
    assert "step/s" in shown.decode()
    assert "loss" in shown.decode()
    assert here(*arguments, "--fresh").stderr == ""


# A shell without job control, as CI's, has what it starts with `&` ignore SIGINT from birth; nohup adds SIGHUP.
BIRTHS = {"as it is": [], "in the background": ["sh", "-c", 'trap "" INT HUP; exec "$@"', "sh"]}


@pytest.mark.parametrize("birth", BIRTHS.values(), ids=BIRTHS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_a_signal_stops_within_a_second_and_keeps_finished_runs(tmp_path, executor, number, birth):
    # The first run ends at once; the second would take hours.
    arguments = ["run", "-m", *TINY, "steps=1,10000000", "record.every=10000", f"executor={executor}", "name=cut"]
    words = [*birth, sys.executable, "-u", "-m", "experiments", *arguments]
    folder = tmp_path / "results" / "cut"
    with started(*words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(folder.glob("parts/*.part")) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)  # into the second run
        start = time.monotonic()
        if birth:
            process.send_signal(signal.SIGHUP)  # which nohup has it outlive
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        elapsed = time.monotonic() - start
        assert process.returncode == 128 + number, err
        assert "interrupted; 1 finished run kept" in err
        assert "Traceback" not in err
        assert elapsed < 10  # 0.3 to 0.6 s on an idle machine; far from the hours that the run would take
        while (left := alive(process.pid)) and time.monotonic() < start + 10:  # what keeps count for the workers ends a moment later
            time.sleep(0.02)
        assert not left
    assert load(folder).runs["status"].tolist() == ["ok"]
    assert load(folder).runs["steps"].tolist() == [1]


def test_signals_are_handled_while_a_command_is_under_way_and_given_back(monkeypatch):
    seen = {}
    monkeypatch.setattr(cli, "dispatch", lambda arguments: seen.update({n: signal.getsignal(n) for n in cli.STOPPING}) or 0)
    before = {n: signal.signal(n, signal.SIG_IGN) for n in cli.STOPPING}
    try:
        assert cli.main([]) == 0
        assert all(callable(handler) for handler in seen.values())
        assert [signal.getsignal(n) for n in cli.STOPPING] == [signal.SIG_IGN, signal.SIG_IGN]
        codes = []
        thread = threading.Thread(target=lambda: codes.append(cli.main([])))  # where no handler can be set
        thread.start()
        thread.join()
        assert codes == [0]
        assert set(seen.values()) == {signal.SIG_IGN}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
