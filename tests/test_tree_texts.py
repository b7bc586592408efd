"""The text of a tree: how it is written, parsed and compared."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.instrumentation.declarative.testing import tree_comparison as comparison
from opentelemetry.instrumentation.declarative.testing.tree_builder import build_tree
from opentelemetry.instrumentation.declarative.testing.tree_text import TreeSyntaxError, parse_tree, write_tree
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def same(expected: str, got: str) -> bool:
    return comparison.is_equal(parse_tree(expected), parse_tree(got))


def difference(expected: str, got: str, *, partial: bool = False) -> str:
    return "\n".join(map(str, comparison.difference(parse_tree(expected), parse_tree(got), partial=partial)))


class Program:
    """A program that makes spans by hand, and the tree of its spans."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._provider = TracerProvider(shutdown_on_exit=False)
        self._provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self._provider.get_tracer("test")

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def text(self, **options: Any) -> str:
        return write_tree(build_tree(self.spans, **options))


@pytest.fixture
def program() -> Program:
    return Program()


# ── Writing ──


def test_a_span_is_written_with_everything_except_ids_and_times(program: Program):
    with program.tracer.start_as_current_span("outer", kind=trace.SpanKind.SERVER) as outer:
        outer.set_attributes({"a": 1, "b": 2.0, "c": "two words", "d": [True, False], "e": "2", "f": ""})
        outer.add_event("note", {"by": "me"})
        link = trace.Link(outer.get_span_context(), {"ag2.link.kind": "about", "seat": 2})
        with program.tracer.start_as_current_span("inner", links=[link]) as inner:
            inner.set_status(trace.StatusCode.OK)
        failed = program.tracer.start_span("inner", links=[trace.Link(inner.get_span_context())])
        failed.set_status(trace.StatusCode.ERROR, "lost\nat sea")
        failed.end()
    assert program.text() == "\n".join(
        [
            "outer (server)",
            "  a=1",
            "  b=2.0",
            "  c=two words",
            "  d=[true, false]",
            '  e="2"',
            '  f=""',
            "  • note",
            "    by=me",
            "  inner (ok)",
            "    ↪ about → outer",
            "      seat=2",
            "  inner",
            r'    ! "lost\nat sea"',
            "    ↪ → inner #1",
        ]
    )


def test_an_exception_is_written_without_attributes_that_depend_on_the_source(program: Program):
    with pytest.raises(OSError, match="gone"), program.tracer.start_as_current_span("it"):
        raise OSError("gone")
    assert program.text() == (
        "it\n  ! OSError: gone\n  • exception\n    exception.type=OSError\n    exception.message=gone"
    )


def test_parents_and_targets_that_are_not_recorded_are_marked(program: Program):
    for number, remote in ((1, True), (2, False)):
        context = trace.SpanContext(number, number, remote, trace.TraceFlags(1))
        with trace.use_span(trace.NonRecordingSpan(context)):
            program.tracer.start_span("one", links=[trace.Link(context, {"link.kind": "by"})]).end()
            program.tracer.start_span("two").end()
    assert program.text() == (
        "(in another process)\n  one\n    ↪ by → (in another process)\n  two\n"
        "(not recorded)\n  one\n    ↪ by → (not recorded)\n  two"
    )


def test_siblings_can_be_sorted_by_their_text_at_every_depth(program: Program):
    for name in ("b", "a"):
        with program.tracer.start_as_current_span(name):
            for number in (2, 1):
                program.tracer.start_span("below", attributes={"n": number}).end()
    assert program.text(by_name=True) == "a\n  below\n    n=1\n  below\n    n=2\nb\n  below\n    n=1\n  below\n    n=2"
    assert program.text().startswith("b\n  below\n    n=2")


NAMES = [
    "a=b",
    "a b=c",
    "x (client)",
    "(x)",
    "! x",
    "* x",
    "-> x",
    '"x"',
    " x ",
    "",
    "a\nb",
    "x\u2028y",
    "x -> y",
    "GET /",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_looks_like_other_syntax_is_parsed_as_a_name(name: str, program: Program):
    with program.tracer.start_as_current_span(name, kind=trace.SpanKind.CLIENT) as span:
        program.tracer.start_span("below", links=[trace.Link(span.get_span_context(), {"link.kind": "k"})]).end()
    lines = build_tree(program.spans)
    assert [(line.role, line.flags) for line in parse_tree(write_tree(lines))] == [("span", ("client",))]
    assert comparison.is_equal(parse_tree(write_tree(lines)), lines)


VALUES = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(), st.lists(st.text()), st.binary(max_size=9)
)


@given(
    st.text(), st.dictionaries(st.text(min_size=1), VALUES, max_size=4), st.text(), st.dictionaries(st.text(), VALUES)
)
def test_the_text_of_any_spans_is_parsed_as_the_same_tree(
    name: str, attributes: dict[str, Any], status: str, more: dict[str, Any]
):
    context = trace.SpanContext(1, 1, False)
    span = ReadableSpan(
        name,
        context,
        attributes=attributes,
        start_time=1,
        end_time=2,
        status=trace.Status(trace.StatusCode.ERROR, status),
        links=[trace.Link(context, {"link.kind": status}), trace.Link(context, more)],
    )
    child = ReadableSpan(status, trace.SpanContext(1, 2, False), parent=context, start_time=1)
    lines = build_tree([span, child])
    assert comparison.is_equal(parse_tree(write_tree(lines)), lines)
    assert "+ " not in {each.sign for each in comparison.difference(parse_tree(write_tree(lines)), lines)}


# ── Parsing ──


@pytest.mark.parametrize(
    "text",
    [
        "a\n  k=1\n  b\n    ! no\nc",
        "\n\n        a\n          k = 1\n\n          b\n            ! no\n        c\n    ",
        "\ta\n\t\tb\n\t\t\t! no\n\t\tk=1\n\tc",
    ],
)
def test_indentation_and_the_order_of_attributes_are_free(text: str):
    assert same(text, "a\n  k=1\n  b\n    ! no\nc")


def test_signs_that_every_keyboard_has_are_accepted():
    assert same("a\n  * note\n  -> by -> a -> b\n  -> -> c", "a\n  • note\n  ↪ by → a -> b\n  ↪ → c")


@pytest.mark.parametrize("text", ["", "\n  \n", "(no spans)"])
def test_an_empty_text_is_a_tree_without_spans(text: str):
    assert parse_tree(text) == []
    assert write_tree([]) == "(no spans)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=1", "its line 1, `a=1`, is not below a span. Indent it more"),
        ("a\n  b=1\n    c", "its line 3, `c`, is below an attribute. Align it"),
        ("a\n  ! no\n    c=1", "its line 3, `c=1`, is below an error. Align it"),
        ("a\n  * e\n    c", "its line 3, `c`, is below an event. Align it"),
        ("a\n    b\n  c", "its line 3, `c`, is not aligned with any line above it. Align it"),
        ("  a\nb", "its line 2, `b`, is not aligned with any line above it. Align it"),
        ("a\n  k=1\n  k=2", "its line 3, `k=2`, repeats k for the same span. Remove"),
    ],
)
def test_a_text_that_is_not_a_tree_is_reported_with_its_line(text: str, message: str):
    with pytest.raises(TreeSyntaxError, match=re.escape(message)):
        parse_tree(text)


# ── Comparing ──


@pytest.mark.parametrize(
    ("expected", "got", "result"),
    [
        ("a\n  k=1", "a\n  k=1", True),
        ('a\n  k="x"', "a\n  k=x", True),
        ("a\n  k=[1,2]", "a\n  k=[1, 2]", True),
        ("a\n  k=1", 'a\n  k="1"', False),
        ("a\n  k=1", "a\n  k=1.0", False),
        ("a\n  k=1", "a\n  k=1\n  l=2", False),
        ("a\n  k=1\n  l=2", "a\n  l=2\n  k=1", True),
        ("a\n  b\n  c", "a\n  c\n  b", False),
        ("a\n  b\nc", "a\n  b\n  c", False),
        ("a (client)", "a", False),
        ("a", "a (open)", False),
        ("a <any>", "a b c", True),
        ("a\n  k=<any>", "a\n  k=[1, 2]", True),
        ("a\n  k=v<any>", "a\n  k=w", False),
        ("a\n  k=<any>", "a\n  l=1", False),
        ("a\n  ! <any>", "a\n  ! lost", True),
        ("a\n  ! <any>", "a", False),
        ("a", "a\na", False),
    ],
)
def test_trees_are_equal_if_each_line_has_an_equal_one_in_its_place(expected: str, got: str, result: bool):
    assert same(expected, got) is result
    signs = {each.sign for each in comparison.difference(parse_tree(expected), parse_tree(got))}
    assert (signs == {"  "}) is result


@pytest.mark.parametrize(
    ("part", "result"),
    [
        ("b", True),
        ("a\n  c", True),
        ("a\n  b\n  c", True),
        ("a\n  c\n  b", False),
        ("b\n  k=1", True),
        ("b\n  k=2", False),
        ("b\n  ! no", True),
        ("b\n  ! yes", False),
        ("b (client)", True),
        ("b (server)", False),
        ("c (client)", False),
        ("c\na", True),
        ("a\n  d", False),
        ("a\n  b\n  b", False),
    ],
)
def test_a_tree_contains_a_part_if_it_has_all_of_its_lines(part: str, result: bool):
    got = parse_tree("a\n  x=1\n  b (client)\n    k=1\n    l=2\n    ! no\n  o\n  c\n    d")
    assert comparison.contains(got, parse_tree(part)) is result


@pytest.mark.parametrize(
    ("expected", "got", "shown"),
    [
        ("a\n  k=1\n  l=2", "a\n  l=3\n  m=4", "  a\n-   l=2\n+   l=3\n+   m=4\n-   k=1"),
        ("a\n  b\n  c\n  d", "a\n  b\n  x\n  c\n  d", "  a\n    b\n+   x\n    c\n    d"),
        ("a\n  b\n    k=1\n  c", "a\n  c", "  a\n-   b\n-     k=1\n    c"),
        ("pay 1\n  k=1\n  c", "pay 2\n  k=1\n  c", "- pay 1\n+ pay 2\n    k=1\n    c"),
        ("a (client)", "a", "- a (client)\n+ a"),
        ("a <any>\n  k=<any>\n  b", "a 1\n  k=2", "  a 1\n    k=2\n-   b"),
        ("", "a\n  b", "+ a\n+   b"),
        ("a\n  ! x", "a\n  ! y", "  a\n-   ! x\n+   ! y"),
    ],
)
def test_a_difference_is_shown_at_its_position_in_the_tree(expected: str, got: str, shown: str):
    assert difference(expected, got) == shown


def test_only_missing_lines_of_a_part_are_shown():
    assert (
        difference("a\n  k=1\n  c", "a\n  k=2\n  x=3\n  b\n  c\n    d", partial=True) == "  a\n-   k=1\n+   k=2\n    c"
    )


def test_trees_deeper_than_the_stack_are_parsed_written_and_compared():
    deep = "\n".join(f"{' ' * depth}call {depth}" for depth in range(2_000))
    changed = deep.replace("call 1999", "other")
    assert same(write_tree(parse_tree(deep)), deep)
    assert not same(deep, changed)
    assert difference(deep, changed).splitlines()[-2:] == [f"- {'  ' * 1999}call 1999", f"+ {'  ' * 1999}other"]


def test_all_siblings_are_shown_even_if_there_are_too_many_to_align_by_cost():
    expected = "\n".join(f"a {number}" for number in range(300))
    got = "\n".join(f"b {number}" for number in range(301))
    lines = difference(expected, got).splitlines()
    assert sorted(line[2:] for line in lines) == sorted([*expected.splitlines(), *got.splitlines()])
