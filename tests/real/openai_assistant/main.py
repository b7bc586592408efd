"""Asks some questions, and prints the answers."""

import asyncio

from assistant import questions, tasks


async def ask_asynchronously() -> None:
    print(await tasks.ask("one"))
    print(await tasks.ask_all("two", "three"))
    print(await tasks.ask_or_say_why("broken"))
    print(await tasks.ask_in_parts("four"))
    print(await tasks.ask_and_leave("five"))


def main() -> None:
    print(questions.ask("one"))
    print(questions.ask_or_wait("too often"))
    print(questions.ask_in_parts("two"))
    print(questions.ask_for_the_first_part("three"))
    print(questions.ask_until_it_fails("cut off"))
    print(questions.ask_for_headers("four"))
    print(questions.ask_for_lines("five"))
    print(questions.ask_for_events("six"))
    print(questions.embed("seven"))
    asyncio.run(ask_asynchronously())


if __name__ == "__main__":
    main()
