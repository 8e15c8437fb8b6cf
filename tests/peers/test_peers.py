"""What other programs' reports say of this machine, `info` says too: field by field, really run.

torch's collect_env, cupy.show_config, numba -s, JAX's environment report and cuda-pathfinder.
"""

import dataclasses

import pytest
from peers import differs, entry, environment, found_nothing, ours, reports, table

from theano_colab.runtime.model import Runtime

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("peers")]
PROGRAMS = [name for name in table() if name not in {"nothing", "reasons", "aliases", "features"}]
FACTS = {field.name for field in dataclasses.fields(Runtime)}


@pytest.fixture(scope="module")
def folder():
    return environment()


@pytest.fixture(scope="module")
def said(folder):
    return reports(folder)


@pytest.fixture(scope="module")
def facts(folder):
    return ours(folder)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_field_that_a_program_prints_is_a_fact_of_ours_or_has_its_reason(program, said):
    assert [field for field in said[program] if entry(program, field) is None] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_finds_we_find_and_say_where(program, said, facts):
    compared = {
        field: (one, theirs)
        for field, theirs in said[program].items()
        if "facts" in (one := entry(program, field) or {})
    }
    wrong = [differs(one, field, theirs, facts) for field, (one, theirs) in compared.items()]
    assert list(filter(None, wrong)) == []
    assert sum(not found_nothing(theirs) for _, theirs in compared.values()) >= 5
    for one, _ in compared.values():
        assert all(facts[name.partition(".")[0]]["source"] for name in one["facts"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_map_names_facts_that_there_are_and_reasons_that_are_given(program):
    for field, one in table()[program].items():
        if "excused" in one:
            assert one["excused"] in table()["reasons"], field
        else:
            assert {name.partition(".")[0] for name in one["facts"]} <= FACTS, field


def test_a_fact_that_differs_is_found(said, facts):
    """The comparison would notice: no fact may be there and say anything else."""
    wrong = {
        **facts,
        "libc": {"value": "glibc 2.5", "source": "x"},
        "cpu_features": {"value": ["sse"], "source": "x"},
        "memory_total_bytes": {"value": 1, "source": "x"},
        "cuda_libraries": {"missing": "none", "source": "x"},
        "packages": {"value": {"numpy": "1.0"}, "source": "x"},
    }
    noticed = {
        (program, name)
        for program, fields in said.items()
        for field, theirs in fields.items()
        if "facts" in (one := entry(program, field) or {})
        for name in one["facts"]
        if name in wrong and differs(one, field, theirs, wrong)
    }
    assert ("torch.utils.collect_env", "libc") in noticed
    assert ("numba -s", "libc") in noticed
    assert ("torch.utils.collect_env", "cpu_features") in noticed
    assert ("numba -s", "memory_total_bytes") in noticed
    assert ("cuda-pathfinder", "cuda_libraries") in noticed
    assert ("cupy.show_config", "cuda_libraries") in noticed
    assert ("jax.print_environment_info", "packages") in noticed
