"""Calls of the asynchronous client."""

import asyncio

from openai import APIStatusError, AsyncOpenAI

client = AsyncOpenAI(max_retries=0)


async def ask(question: str) -> str | None:
    completion = await client.chat.completions.create(model="small", messages=[{"role": "user", "content": question}])
    return completion.choices[0].message.content


async def ask_all(*questions: str) -> list[str | None]:
    return await asyncio.gather(*map(ask, questions))


async def ask_or_say_why(question: str) -> str | None:
    try:
        return await ask(question)
    except APIStatusError as error:
        return f"failed: {error.status_code}"


async def ask_in_parts(question: str) -> list[str]:
    stream = await client.chat.completions.create(
        model="small", messages=[{"role": "user", "content": question}], stream=True
    )
    return [chunk.choices[0].delta.content or "" async for chunk in stream]


async def ask_and_leave(question: str) -> str | None:
    """Read one part. The stream is closed with the block."""
    stream = await client.chat.completions.create(
        model="small", messages=[{"role": "user", "content": question}], stream=True
    )
    async with stream:
        async for chunk in stream:
            return chunk.choices[0].delta.content
    return None
