from experiments.config.keys import Job, run_id
from experiments.config.validation import validate
from experiments.sweep.tiles import cut, shape_key, stacks_of


def jobs_of(base, *changes):
    configs = [validate({**base, **change}) for change in changes]
    return [Job(index, config, run_id(config)) for index, config in enumerate(configs)]


def test_what_may_differ_within_a_stack(base):
    node = {**base["init"], "scale": 2.0}
    jobs = jobs_of(base, {}, {"seed": 1}, {"lr": 0.5}, {"weight_decay": 0.1}, {"bias_lr_factor": 2.0}, {"init": node})
    assert stacks_of(jobs) == 1


def test_what_may_not(base):
    leaky = {"_target_": "bpcore.activations.leaky_relu", "name": "leaky_relu", "alpha": 0.1}
    other = {**leaky, "alpha": 0.2}
    changes = [{}, {"depth": 2}, {"width": 9}, {"steps": 3}, {"batch_size": 10}, {"dtype": "float32"}, {"activation": leaky}]
    changes += [{"activation": other}, {"record": {**base["record"], "every": 2}}, {"data": {**base["data"], "n_samples": 40}}]
    jobs = jobs_of(base, *changes)
    assert stacks_of(jobs) == len(changes)


def test_clip_thresholds_share_a_stack_but_kinds_do_not(base):
    def clip(name, threshold):
        return {"clip": {"_target_": f"bpcore.clipping.{name}", "name": name, "threshold": threshold}}

    jobs = jobs_of(base, clip("norm", 1.0), clip("norm", 2.0), clip("value", 1.0))
    assert [shape_key(job.config) == shape_key(jobs[0].config) for job in jobs] == [True, True, False]


def test_every_job_is_in_one_tile_in_order(base):
    jobs = jobs_of(base, *[{"seed": seed, "depth": depth} for seed in range(40) for depth in (1, 2)])
    for workers in (1, 3):
        tiles = cut(jobs, workers)
        assert sorted(job.index for tile in tiles for job in tile) == list(range(80))
        assert all(len({shape_key(job.config) for job in tile}) == 1 for tile in tiles)
        assert all([job.index for job in tile] == sorted(job.index for job in tile) for tile in tiles)
        assert [tile[0].index for tile in tiles] == sorted(tile[0].index for tile in tiles)


def test_few_long_runs_are_shared_among_workers(base):
    jobs = jobs_of(base, *[{"seed": seed, "steps": 10**6} for seed in range(6)])
    assert len(cut(jobs, 2)) >= 2
