"""Calls of the synchronous client."""

from openai import APIError, OpenAI, RateLimitError

client = OpenAI(max_retries=1)


def ask(question: str) -> str | None:
    completion = client.chat.completions.create(model="small", messages=[{"role": "user", "content": question}])
    return completion.choices[0].message.content


def ask_or_wait(question: str) -> str | None:
    try:
        return ask(question)
    except RateLimitError as error:
        return f"wait: {error.status_code}"


def ask_in_parts(question: str) -> list[str]:
    stream = client.chat.completions.create(
        model="small", messages=[{"role": "user", "content": question}], stream=True
    )
    return [chunk.choices[0].delta.content or "" for chunk in stream]


def ask_for_the_first_part(question: str) -> str | None:
    with client.chat.completions.create(
        model="small", messages=[{"role": "user", "content": question}], stream=True
    ) as stream:
        for chunk in stream:
            return chunk.choices[0].delta.content
    return None


def ask_until_it_fails(question: str) -> str:
    try:
        return " ".join(ask_in_parts(question))
    except APIError as error:
        return f"failed: {error.message}"


def ask_for_headers(question: str) -> tuple[str | None, str | None]:
    raw = client.chat.completions.with_raw_response.create(
        model="small", messages=[{"role": "user", "content": question}]
    )
    return raw.headers.get("x-request-id"), raw.parse().choices[0].message.content


def ask_for_lines(question: str) -> int:
    with client.chat.completions.with_streaming_response.create(
        model="small", messages=[{"role": "user", "content": question}]
    ) as response:
        return len([*response.iter_lines()])


def ask_for_events(question: str) -> list[str]:
    with client.chat.completions.stream(model="small", messages=[{"role": "user", "content": question}]) as stream:
        return [event.type for event in stream]


def embed(text: str) -> list[float]:
    return client.embeddings.create(model="vectors", input=text, encoding_format="float").data[0].embedding
