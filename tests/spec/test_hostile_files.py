"""Hostile files and paths: each is a clear problem, and reading does not block, grow, or leave the folder."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative.diagnostics.problems import MAX_PROBLEMS, Problem, SpecError
from opentelemetry.instrumentation.declarative.language.document import read_document
from opentelemetry.instrumentation.declarative.language.loading import MAX_FILES
from opentelemetry.instrumentation.declarative.language.text_file import MAX_BYTES, read_bytes
from opentelemetry.instrumentation.declarative.plan.validation import read_spec

from tests.fuzz.targets import layers, spec

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
SHOP = "instrument: 2\nname: shop\nspans: {buy: {around: 'shop:buy'}}\n"


def over(extends: str) -> str:
    return f"instrument: 2\nextends: {extends}\nspans: {{buy: {{kind: client}}}}\n"


def problems(path: Path) -> list[Problem]:
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    assert str(caught.value)
    return list(caught.value.problems)


def only(path: Path) -> Problem:
    (problem,) = problems(path)
    return problem


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket has to be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


KINDS = {a_folder: "it is a folder", a_pipe: "it is a pipe", a_device: "it is a device", a_socket: "it is a socket"}


@posix
@pytest.mark.parametrize(
    ("make", "reason"), [*KINDS.items(), (a_link_to_itself, "")], ids=lambda each: getattr(each, "__name__", "")
)
def test_only_regular_files_are_read_and_reading_never_blocks(
    make: Callable[[Path], None], reason: str, tmp_path: Path
):
    make(tmp_path / "odd.yaml")
    problem = only(tmp_path / "odd.yaml")
    assert problem.code == "unreadable-file"
    assert problem.message.endswith(reason)
    problem = only(write(tmp_path / "my.yaml", over("odd.yaml")))
    assert (problem.code, problem.mark.line) == ("no-file", 2)


@posix
def test_a_file_that_becomes_a_pipe_while_it_is_checked_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = os.stat(write(tmp_path / "a.yaml", SHOP))
    os.remove(tmp_path / "a.yaml")
    os.mkfifo(tmp_path / "a.yaml")
    monkeypatch.setattr(os, "stat", lambda *_args, **_options: before)
    assert read_bytes(tmp_path / "a.yaml", "a.yaml") == b""


@posix
def test_reading_a_very_large_file_stops_at_the_limit(tmp_path: Path):
    with open(tmp_path / "large.yaml", "wb") as stream:
        stream.truncate(10**12)  # a sparse file
    assert len(read_bytes(tmp_path / "large.yaml", "large.yaml")) == MAX_BYTES + 4
    assert only(tmp_path / "large.yaml").code == "too-large"


@posix
@pytest.mark.parametrize("name", ["a\nb.yaml", "a\x1b[2J.yaml", "a\udcff.yaml"])
def test_a_file_whose_name_has_control_characters_is_refused(name: str, tmp_path: Path):
    (tmp_path / os.fsencode(name).decode("utf-8", "surrogateescape")).write_text(SHOP)
    with pytest.raises(SpecError) as caught:
        read_document(tmp_path / name)
    assert caught.value.problems[0].message == "the file name has characters that cannot be printed"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ('"\\0.yaml"', "no-file"),
        ('"a\\nb.yaml"', "no-file"),
        (f"{'a' * 5000}.yaml", "no-file"),
        (f"{'a/' * 3000}b.yaml", "no-file"),
        ("shop.yaml/below.yaml", "no-file"),
        ("~/shop.yaml", "no-file"),
        ("$HOME/shop.yaml", "no-file"),
        ("https://host/shop.yaml", "no-file"),
        ("shop.yaml\\..\\x.yaml", "no-file"),
        ("/etc/shop.yaml", "outside-folder"),
        ("C:\\shop.yaml", "outside-folder"),
        ("//host/share/shop.yaml", "outside-folder"),
        ("/dev/zero", "unknown-spec"),
        ("../../../etc/passwd", "unknown-spec"),
    ],
)
def test_a_missing_or_absolute_path_is_a_problem_at_its_position(name: str, code: str, tmp_path: Path):
    write(tmp_path / "shop.yaml", SHOP)
    problem = only(write(tmp_path / "my.yaml", over(name)))
    assert (problem.code, problem.mark.line) == (code, 2)
    assert len(problem.render()) < 1_000
    assert problem.render().isprintable() or set(filter(lambda c: not c.isprintable(), problem.render())) == {"\n"}


def test_a_listed_file_can_extend_one_outside_its_folder(tmp_path: Path):
    write(tmp_path / "shop.yaml", SHOP)
    write(tmp_path / "house.yaml", over("./shop.yaml"))
    found = read_spec(write(tmp_path / "team" / "my.yaml", over("../house.yaml")))
    assert [Path(document.file).name for document in found.documents] == ["shop.yaml", "house.yaml", "my.yaml"]


def test_an_extended_file_cannot_extend_one_outside_the_folder(tmp_path: Path):
    write(tmp_path / "secret.yaml", SHOP)
    write(tmp_path / "team" / "house.yaml", over("../secret.yaml"))
    problem = only(write(tmp_path / "team" / "my.yaml", over("house.yaml")))
    assert (Path(problem.mark.file).name, problem.code) == ("house.yaml", "outside-folder")


@posix
def test_a_symbolic_link_out_of_the_folder_is_not_followed(tmp_path: Path):
    write(tmp_path / "secret.yaml", SHOP)
    write(tmp_path / "team" / "house.yaml", over("link.yaml"))
    (tmp_path / "team" / "link.yaml").symlink_to("../secret.yaml")
    problem = only(write(tmp_path / "team" / "my.yaml", over("house.yaml")))
    assert (Path(problem.mark.file).name, problem.code) == ("house.yaml", "outside-folder")


@posix
@pytest.mark.parametrize(
    "text", ["password: hunter2\n", "- password: hunter2\n", "a: [hunter2\n", "kind: !hunter2 x\n"]
)
def test_the_content_of_a_file_outside_the_folder_that_is_not_a_spec_is_not_shown(text: str, tmp_path: Path):
    write(tmp_path / "secret.yaml", text)
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "link.yaml").symlink_to("../secret.yaml")
    for extends in ("../secret.yaml", "link.yaml"):
        my = write(tmp_path / "team" / "my.yaml", over(extends))
        with pytest.raises(SpecError) as caught:
            read_spec(my)
        assert [problem.code for problem in caught.value.problems] == ["no-spec"]
        assert "hunter2" not in str(caught.value)
        assert "password" not in str(caught.value)


def test_a_long_chain_of_files_ends_in_a_problem(tmp_path: Path):
    for number in range(600):
        write(tmp_path / f"f{number}.yaml", over(f"f{number + 1}.yaml"))
    problem = only(tmp_path / "f0.yaml")
    assert (problem.code, Path(problem.mark.file).name) == ("too-large", f"f{MAX_FILES}.yaml")


def test_each_of_many_files_that_extend_each_other_is_read_once(tmp_path: Path):
    names = [f"f{number}.yaml" for number in range(20)]
    for number, name in enumerate(names[:-1]):
        write(tmp_path / name, over(f"[{', '.join(names[number + 1 : number + 3])}]"))
    write(tmp_path / names[-1], SHOP)
    assert len(read_spec(tmp_path / names[0]).documents) == len(names)


def test_control_characters_of_a_spec_are_escaped_in_messages(tmp_path: Path):
    odd = '"\\e[31m\\nERROR all is lost\\r\\u202e"'
    text = f"instrument: 2\nname: shop\nspans: {{buy: {{around: {odd}, kind: {odd}, {odd}: 1, owner: {odd}}}}}\n"
    text += f"hooks: {{x: {{call: 'a:b', unpack: [{odd}]}}}}\nextends: {odd}\n"
    with pytest.raises(SpecError) as caught:
        read_spec(write(tmp_path / "my.yaml", text))
    lines = str(caught.value).split("\n")
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("ERROR") for line in lines)


@pytest.mark.parametrize("sign", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_characters_that_change_the_direction_of_text_are_refused(sign: str, tmp_path: Path):
    problem = only(write(tmp_path / "my.yaml", f"{SHOP}# {sign}\n"))
    assert (problem.code, problem.mark.line) == ("control-character", 4)


def test_only_the_first_of_very_many_problems_are_reported(tmp_path: Path):
    for text in (
        "a: 1\n" * 9_000,
        SHOP + "".join(f"key{number}: 1\n" for number in range(5_000)),
        SHOP.replace("buy'}", "buy', attributes: {" + ", ".join(f"a{n}: b ** {n}" for n in range(3_000)) + "}}"),
        SHOP + "hooks:\n" + "".join(f"  h{number}: {{call: 'a:b', cal: 1}}\n" for number in range(3_000)),
    ):
        found = problems(write(tmp_path / "my.yaml", text))
        assert len(found) == MAX_PROBLEMS + 1
        assert "more-problems" in {problem.code for problem in found}


BYTES = st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-16", "surrogatepass"))
LINES = [b"instrument: 2\n", b"name: a\n", b"spans: {a: {around: 'b:c'}}\n", b"spans: null\n"]
NAMES = [b"extends: ", b"second.yaml\n", b"[first.yaml, third.yaml]\n", b"./first.yaml\n", b"ag2\n", b"..", b"/", b"\0"]
PARTS = st.sampled_from(
    [*LINES, *NAMES, b"\n====\n", b"\xff", b'"\\0.yaml"\n', b"\xef\xbb\xbf", b"&x ", b"*x", b"!!str "]
)


@settings(max_examples=300)
@given(BYTES | st.lists(PARTS, max_size=12).map(b"".join))
def test_any_bytes_are_a_spec_or_a_spec_error_with_problems_inside_the_file(data: bytes):
    spec(data)


@settings(max_examples=150)
@given(st.lists(PARTS, max_size=20).map(b"".join))
def test_any_files_that_extend_each_other_are_a_spec_or_a_spec_error(data: bytes):
    layers(data)
