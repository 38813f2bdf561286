from experiments.config.validation import validate
from experiments.sweep.tiles import cut, shape_key, stacks_of


def runs_of(base, *changes):
    return [validate({**base, **change}, index) for index, change in enumerate(changes)]


def test_what_may_differ_within_a_stack(base):
    node = {**base["init"], "scale": 2.0}
    runs = runs_of(base, {}, {"seed": 1}, {"lr": 0.5}, {"weight_decay": 0.1}, {"bias_lr_factor": 2.0}, {"init": node})
    assert stacks_of(runs) == 1


def test_what_may_not(base):
    leaky = {"_target_": "bpcore.activations.leaky_relu", "name": "leaky_relu", "alpha": 0.1}
    other = {**leaky, "alpha": 0.2}
    changes = [{}, {"depth": 2}, {"width": 9}, {"steps": 3}, {"batch_size": 10}, {"dtype": "float32"}, {"activation": leaky}]
    changes += [{"activation": other}, {"record": {**base["record"], "every": 2}}, {"data": {**base["data"], "n_samples": 40}}]
    runs = runs_of(base, *changes)
    assert stacks_of(runs) == len(changes)


def test_clip_thresholds_share_a_stack_but_kinds_do_not(base):
    def clip(name, threshold):
        return {"clip": {"_target_": f"bpcore.clipping.{name}", "name": name, "threshold": threshold}}

    runs = runs_of(base, clip("norm", 1.0), clip("norm", 2.0), clip("value", 1.0))
    assert [shape_key(run) == shape_key(runs[0]) for run in runs] == [True, True, False]


def test_every_run_is_in_one_tile_in_order(base):
    runs = runs_of(base, *[{"seed": seed, "depth": depth} for seed in range(40) for depth in (1, 2)])
    for workers in (1, 3):
        tiles = cut(runs, workers)
        assert sorted(run.index for tile in tiles for run in tile) == list(range(80))
        assert all(len({shape_key(run) for run in tile}) == 1 for tile in tiles)
        assert all([run.index for run in tile] == sorted(run.index for run in tile) for tile in tiles)
        assert [tile[0].index for tile in tiles] == sorted(tile[0].index for tile in tiles)


def test_few_long_runs_are_shared_among_workers(base):
    runs = runs_of(base, *[{"seed": seed, "steps": 10**6} for seed in range(6)])
    assert len(cut(runs, 2)) >= 2
