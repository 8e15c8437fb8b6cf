"""THEANO_FLAGS and .theanorc, against Theano's own semantics restated with the standard library."""

from __future__ import annotations

import configparser
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from theano_colab.plan import vocabulary
from theano_colab.plan.flags import Flags, FlagsError, Setting

# Values as they reach Theano: no blanks at the end (it strips each item), no ';name=' mistakes.
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(str.rstrip)
NAMES = st.sampled_from(sorted(n for n in vocabulary.known_names() if n.endswith("flags")))
ANY_NAMES = st.from_regex(r"[a-z_]{1,8}(\.[a-z_]{1,8}){0,2}", fullmatch=True).filter(
    lambda name: not vocabulary.is_known(name) and not vocabulary.same_but_for_case(name)
)
# Text made of what matters to the reader, so that quotes and commas meet often.
TEXTS = st.text(st.sampled_from("ab.=,;#'\" \\\n1"), max_size=30) | st.lists(
    st.sampled_from(
        [
            "device",
            "floatX",
            "=",
            "cpu",
            "gpu0",
            "float32",
            ",",
            ", ",
            ";",
            " ",
            "'",
            '"',
            "x.y",
            "#",
        ]
    ),
    max_size=12,
).map("".join)


@st.composite
def flags(draw):
    names = draw(st.lists(NAMES | ANY_NAMES, unique=True, max_size=5))
    return Flags(tuple(Setting(name, draw(VALUES), "THEANO_FLAGS") for name in names))


def as_dict(parsed: Flags) -> dict[str, str]:
    return {setting.name: setting.value for setting in parsed.settings}


def theano_would_read(text: str) -> dict[str, str]:
    """What Theano 1.0.5 makes of the text; ValueError where its import stops."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace, lexer.whitespace_split = ",", True
    items = [item.strip() for item in lexer]
    return dict(item.split("=", 1) for item in items if "=" in item)


def attempt(function, *arguments):
    """Return what the function gives and None, or None and its FlagsError."""
    try:
        return function(*arguments), None
    except FlagsError as error:
        return None, error


class TestParse:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", {}),
            (" , ,", {}),
            ("device=cpu", {"device": "cpu"}),
            ("device=cuda, floatX=float32", {"device": "cuda", "floatX": "float32"}),
            ("\tdevice=cpu ,\nfloatX=32 ", {"device": "cpu", "floatX": "32"}),
            ("floatX=float32,floatX=float64", {"floatX": "float64"}),
            ('gcc.cxxflags="-O3,-g"', {"gcc.cxxflags": "-O3,-g"}),
            ("gcc.cxxflags='-O3, -g'", {"gcc.cxxflags": "-O3, -g"}),
            ("blas.ldflags=", {"blas.ldflags": ""}),
            ("blas.ldflags=-L/x -lblas", {"blas.ldflags": "-L/x -lblas"}),
            ("contexts=a->cuda0;b->cuda1", {"contexts": "a->cuda0;b->cuda1"}),
            ("profile=1#,device=cpu", {"profile": "1"}),
            ("my.own=3", {"my.own": "3"}),
            ("device=gpu0,lib.cnmem=.8", {"device": "gpu0", "lib.cnmem": ".8"}),
        ],
    )
    def test_reads_what_theano_reads(self, text, expected):
        assert as_dict(Flags.parse(text)) == expected == theano_would_read(text)

    @pytest.mark.parametrize(
        ("text", "column", "suggestion"),
        [
            (" device = cuda", 8, "write device=cuda"),
            ("floatX=float32,device =cpu", 22, "write device=cpu"),
            ("device=cuda;floatX=float32", 12, "write device=cuda,floatX=float32"),
            ("device=cuda floatX=float32", 12, "write device=cuda,floatX=float32"),
            ("device", 1, "write device=..."),
            ("floatX=float32,device", 16, "write device=..."),
            ("=cpu", 1, "name the flag"),
            ("floatx=float32", 1, "did you mean floatX=float32"),
            ("DEVICE=cpu", 1, "did you mean device=cpu"),
            ("device=gpu:0", 8, "did you mean device=cuda0"),
            ("device=GPU", 8, "did you mean device=cuda"),
            ("device=CPU", 8, "did you mean device=cpu"),
            ("floatX= float32", 8, "did you mean floatX=float32"),
            ("floatX=float33", 8, "did you mean floatX=float32"),
            ("profile=yes", 9, "profile takes True or False"),
            ("profile=TRUE", 9, "did you mean profile=True"),
            ("profiling.n_ops=many", 17, "takes a whole number"),
            ("gpuarray.preallocate=all", 22, "takes a number"),
            ("blas.ldflags='-lblas", 14, "put ' after the value"),
            ('device=cpu,gcc.cxxflags="-O3', 25, 'put " after the value'),
            ("cxx=g++\\", 8, "take the backslash out"),
            ("optimizer=fast_ron", 11, "did you mean optimizer=fast_run"),
        ],
    )
    def test_refuses_with_column_and_suggestion(self, text, column, suggestion):
        with pytest.raises(FlagsError) as caught:
            Flags.parse(text)
        assert caught.value.column == column
        assert suggestion in caught.value.remedy
        head, line, caret = caught.value.evidence.split("\n")
        assert head == f"column {column} of THEANO_FLAGS:"
        assert line == f"    {text}"
        assert caret.index("^") == 4 + column - 1

    def test_a_long_text_is_quoted_around_the_place(self):
        text = ",".join(["blas.ldflags=-lblas"] * 30) + ",floatX=float33"
        with pytest.raises(FlagsError) as caught:
            Flags.parse(text)
        _, line, caret = caught.value.evidence.split("\n")
        assert len(line) <= 80
        assert line[caret.index("^") :].startswith("float33")

    def test_origin_is_kept_and_named(self):
        assert Flags.parse("device=cpu", origin="--flags").setting("device").origin == "--flags"
        with pytest.raises(FlagsError, match="--flags"):
            Flags.parse("device", origin="--flags")

    @given(TEXTS | st.text())
    @example("a\\")
    @example("'\\")
    @example("a,#\n=b")
    def test_agrees_with_theano_or_refuses(self, text):
        parsed, error = attempt(Flags.parse, text)
        if error is None:
            assert as_dict(parsed) == theano_would_read(text)
        else:
            assert error.remedy
            assert 1 <= error.column <= len(text) + 1

    @given(TEXTS)
    def test_refuses_what_stops_theano(self, text):
        try:
            theano_would_read(text)
        except ValueError:
            with pytest.raises(FlagsError):
                Flags.parse(text)


class TestText:
    @given(flags())
    @example(Flags((Setting("gcc.cxxflags", '-D"a,b" \'#\\', "THEANO_FLAGS"),)))
    def test_round_trips(self, some):
        written = some.text()
        assert theano_would_read(written) == as_dict(some)
        parsed, error = attempt(Flags.parse, written)
        # The one value refused is one that looks as if a comma had been forgotten in it.
        assert parsed == some or "separated by commas" in error.cause

    def test_quotes_only_where_needed(self):
        plain = Flags().with_setting("blas.ldflags", "-L/x -lblas", "me")
        assert plain.text() == "blas.ldflags=-L/x -lblas"
        assert plain.with_setting("blas.ldflags", "a,b", "me").text() == 'blas.ldflags="a,b"'


class TestMerge:
    @given(flags(), flags())
    def test_the_one_on_top_wins(self, under, over):
        assert as_dict(under.merge(over)) == as_dict(under) | as_dict(over)

    @given(flags())
    def test_nothing_changes_nothing(self, some):
        assert some.merge(Flags()) == some == Flags().merge(some)

    @given(flags(), NAMES, VALUES)
    def test_with_setting_and_without(self, some, name, value):
        more = some.with_setting(name, value, "me")
        assert more.setting(name) == Setting(name, value, "me")
        assert more.without(name) == some.without(name)
        assert more.without(name).get(name) is None


class TestTheanorc:
    def read(self, *texts: str, **variables: str) -> dict[str, str]:
        return as_dict(Flags.from_theanorc(dict(zip("abc", texts, strict=False)), variables))

    def test_sections_are_dotted_names(self):
        text = "[global]\nfloatX = float32\n[blas]\nldflags = -lx\n[dnn.conv]\nalgo_fwd = small\n"
        assert self.read(text) == {
            "floatX": "float32", "blas.ldflags": "-lx", "dnn.conv.algo_fwd": "small",
        }  # fmt: skip

    def test_option_names_ignore_case_and_section_names_do_not(self):
        assert self.read("[global]\nFLOATX = float32\n") == {"floatX": "float32"}
        assert self.read("[DebugMode]\nCHECK_C = False\n") == {"DebugMode.check_c": "False"}
        assert "device" not in self.read("[Global]\ndevice = cpu\n")

    def test_the_later_file_wins(self):
        first = "[global]\nfloatX = float32\nmode = FAST_RUN\n"
        files = {"/etc/theanorc": first, "/root/.theanorc": "[global]\nfloatX = float64\n"}
        read = Flags.from_theanorc(files)
        assert read.setting("floatX") == Setting("floatX", "float64", "/root/.theanorc")
        assert read.setting("mode") == Setting("mode", "FAST_RUN", "/etc/theanorc")

    def test_default_section_reaches_every_section_of_every_file(self):
        assert self.read("[DEFAULT]\nfloatX = float32\n", "[global]\n") == {"floatX": "float32"}

    def test_interpolation(self):
        text = "[global]\nbase_compiledir = /tmp/%(USER)s\n"
        assert self.read(text, USER="me") == {"base_compiledir": "/tmp/me"}
        assert self.read(text) == {"base_compiledir": "/tmp/%(USER)s"}
        assert self.read("[gcc]\ncxxflags = 100%\n") == {"gcc.cxxflags": "100%"}

    def test_a_dotted_option_is_passed_over_as_theano_does(self):
        read = Flags.from_theanorc({"rc": "[global]\ngpuarray.preallocate = 0.8\n"})
        assert read.get("gpuarray.preallocate") is None
        (note,) = read.translate()[1]
        assert "write preallocate under [gpuarray]" in note

    @pytest.mark.parametrize(
        ("text", "line", "remedy"),
        [
            ("floatX = float32\n", 1, "[global]"),
            ("# mine\n\nfloatX = float32\n", 3, "[global]"),
            ("[global]\nfloatX\n", 2, "name = value"),
            ("[global]\ndevice = cpu\ndevice = cuda\n", 3, "second one"),
            ("[global]\n[blas]\n[global]\n", 3, "second one"),
            ("[global]\n\nfloatX = float33\n", 3, "did you mean floatX=float32"),
            ("[global]\nFloatX = float32 # fast\n", 2, "did you mean floatX=float32"),
            ("[dnn.conv]\nalgo_fwd = smal\n", 2, "did you mean dnn.conv.algo_fwd=small"),
        ],
    )
    def test_refuses_with_file_and_line(self, text, line, remedy):
        with pytest.raises(FlagsError) as caught:
            Flags.from_theanorc({"/root/.theanorc": text})
        assert caught.value.line == line
        assert f"line {line}: {text.splitlines()[line - 1]}" in caught.value.evidence
        assert "/root/.theanorc" in str(caught.value)
        assert remedy in caught.value.remedy

    @given(st.text(st.sampled_from("ab[]=:%(USER)s \n\t#;.X"), max_size=60) | st.text())
    def test_never_raises_anything_else(self, text):
        read, error = attempt(Flags.from_theanorc, {"rc": text}, {"USER": "100%"})
        assert error.remedy if error else read.translate()

    @given(
        st.dictionaries(
            st.sampled_from(["global", "blas", "gcc", "metaopt"]),
            st.dictionaries(
                st.sampled_from(["ldflags", "cxxflags", "cxx", "optimizer_including", "ctc.root"]),
                st.text(st.sampled_from("ab%()sUSER "), max_size=12).map(str.strip),
            ),
        )
    )
    def test_agrees_with_theanos_lookup(self, sections):
        text = "".join(
            f"[{s}]\n" + "".join(f"{k} = {v}\n" for k, v in options.items())
            for s, options in sections.items()
        )
        read = as_dict(Flags.from_theanorc({"rc": text}, {"USER": "me"}))
        cooked, raw = configparser.ConfigParser({"USER": "me"}), configparser.RawConfigParser()
        cooked.read_string(text)
        raw.read_string(text)
        for name in ("blas.ldflags", "gcc.cxxflags", "cxx", "metaopt.optimizer_including"):
            section, option = ("global", name) if "." not in name else name.rsplit(".", 1)
            try:
                try:
                    expected = cooked.get(section, option)
                except configparser.InterpolationError:
                    expected = raw.get(section, option)
            except (configparser.NoOptionError, configparser.NoSectionError):
                expected = None
            assert read.get(name) == (expected.rstrip() if expected else expected)


class TestTranslate:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("device=gpu", "device=cuda"),
            ("device=gpu0", "device=cuda0"),
            ("device=gpu12", "device=cuda12"),
            ("init_gpu_device=gpu1", "init_gpu_device=cuda1"),
            ("gpuarray.init_device=cuda0", "init_gpu_device=cuda0"),
            ("lib.cnmem=0.8", "gpuarray.preallocate=0.8"),
            ("lib.cnmem=4500", "gpuarray.preallocate=4500"),
            ("lib.cnmem=lots", ""),
            ("cuda.root=/usr/local/cuda", "cuda.root=/usr/local/cuda"),
            ("nvcc.flags=-D_FORCE_INLINES", ""),
            ("nvcc.fastmath=True", ""),
            ("nvcc.compiler_bindir=/usr/bin", ""),
            ("cuda.enabled=False", ""),
            ("cublas.lib=cublas", ""),
            ("pycuda.init=True", ""),
            ("enable_initial_driver_test=False", ""),
            ("home=/root", ""),
            ("gpuarray.sync=True", ""),
            ("dnn.conv.workmem=small", "dnn.conv.algo_fwd=small"),
            ("dnn.conv.workmem=time", "dnn.conv.algo_fwd=time_once"),
            ("dnn.conv.workmem=odd", ""),
            (
                "dnn.conv.algo_bwd=deterministic",
                "dnn.conv.algo_bwd_data=deterministic,dnn.conv.algo_bwd_filter=deterministic",
            ),
            (
                "dnn.conv.workmem_bwd=none",
                "dnn.conv.algo_bwd_data=none,dnn.conv.algo_bwd_filter=none",
            ),
            ("mode=ProfileMode", "mode=Mode,profile=True"),
            ("mode=FAST_RUN_NOGC", "mode=FAST_RUN,allow_gc=False"),
            ("ProfileMode.n_apply_to_print=3", ""),
        ],
    )
    def test_in_todays_words_with_one_sentence(self, old, new):
        translated, (note,) = Flags.parse(old).translate()
        assert translated.text() == new
        assert note.startswith(old)
        assert note.endswith(".")
        Flags.parse(translated.text())

    @pytest.mark.parametrize(
        "text",
        ["device=cuda0", "dnn.enabled=False", "dnn.include_path=/x", "allow_gc=False",
         "gpuarray.preallocate=0.5", "mode=FAST_RUN", "gpuarray.sync="],
    )  # fmt: skip
    def test_present_flags_stay_as_they_are(self, text):
        assert Flags.parse(text).translate() == (Flags.parse(text), ())

    def test_what_is_set_in_todays_words_is_not_overwritten(self):
        old = Flags.parse("gpuarray.preallocate=0.3,lib.cnmem=0.8")
        assert old.translate()[0].text() == "gpuarray.preallocate=0.3"

    def test_the_origin_stays(self):
        translated, _ = Flags.parse("lib.cnmem=1", origin="/root/.theanorc").translate()
        assert translated.settings[0].origin == "/root/.theanorc"

    def test_an_unknown_flag_is_kept_and_named(self):
        flags, (note,) = Flags.parse("devise=cpu").translate()
        assert flags.text() == "devise=cpu"
        assert note == "Theano knows no flag devise and passes over it; did you mean device?"

    @given(flags())
    def test_twice_is_once(self, some):
        once, _ = some.translate()
        assert once.translate()[0] == once
