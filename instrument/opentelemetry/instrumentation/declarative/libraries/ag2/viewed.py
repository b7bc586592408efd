"""The meaning of the attributes of AG2's spans for ``instrument view``, beyond OpenTelemetry's conventions."""

#: The roles of spans, by the values of an attribute.
ROLES = {
    "ag2.span.type": {
        "envelope": "message",
        "channel": "channel",
        "agent_lifetime": "agent",
        "task": "task",
        "agent": "turn",
        "llm": "model",
        "tool": "tool",
        "human_input": "human",
        "turn_failed": "report",
        "usage": "detail",
        "agent_event": "detail",
    }
}

#: The attributes that have a meaning, the preferred first.
KEYS = {
    "agent_id": ("ag2.agent.id", "ag2.network.owner_id", "ag2.network.sender_id", "ag2.network.creator_id"),
    "channel": ("ag2.network.channel_id",),
    "channel_type": ("ag2.network.manifest_type",),
    "members": ("ag2.network.participant_names",),
    "message_id": ("ag2.network.envelope_id",),
    "message_type": ("ag2.network.event_type",),
    "recipient_ids": ("ag2.network.audience",),
    "recipient_names": ("ag2.network.recipient_names",),
    "task": ("ag2.network.task_id",),
    "task_name": ("ag2.network.capability",),
    "outcome": ("ag2.network.outcome",),
    "error_type": ("ag2.error.type",),
    "error_message": ("ag2.error.message",),
    "link_kind": ("ag2.link.kind",),
}

#: The types of messages that say nothing about their content.
PLAIN_MESSAGE_TYPES = ("ag2.msg.text",)

#: Events of channels and agents that the story leaves out, because their span says the same.
PLAIN_EVENTS = ("opened",)
