"""Walk over everything that a chat sends to a model, once."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.chat import (
    Chat,
    Image,
    Opaque,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)


@dataclass(slots=True)
class Contents:
    """
    What the turns and tools of a chat hold, by what it costs and needs. The texts are those of the
    request, not copies.
    """

    system: list[str] = field(default_factory=list)  # texts of the system prompt
    texts: list[str] = field(default_factory=list)  # all others that become tokens
    images: list[Image] = field(default_factory=list)
    opaque: list[Opaque] = field(default_factory=list)  # audio, files and the like
    turns: int = 0
    tools: int = 0  # offered
    asks: int = 0  # user turns with words of their own, and not beside a tool's result
    uses_tools: bool = False  # offered, called or answered


def read_contents(chat: Chat) -> Contents:
    """Sort everything in *chat*; in one pass, without looking into the texts."""
    contents = Contents(turns=len(chat.turns), tools=len(chat.tools))
    for turn in chat.turns:
        texts = contents.system if turn.role is Role.SYSTEM else contents.texts
        said = answered = False
        for part in turn.parts:
            if type(part) is Text:
                texts.append(part.text)
                said = True
            else:
                answered = answered or type(part) is ToolResult
                add_part(part, texts, contents)
        contents.asks += said and not answered and turn.role is Role.USER
    for tool in chat.tools:
        contents.texts += (tool.name, tool.description, tool.parameters.decode(errors="replace"))
    contents.uses_tools = contents.uses_tools or bool(chat.tools)
    for name, raw in chat.extra.items():
        if name.startswith(("tools", "functions")) and raw != b"[]":  # the provider's own, legacy
            contents.uses_tools = True
            contents.texts.append(raw.decode(errors="replace"))
    if chat.response_format is not None and chat.response_format.schema is not None:
        contents.texts.append(chat.response_format.schema.decode(errors="replace"))
    return contents


def add_part(part: Part, texts: list[str], contents: Contents) -> None:
    """Put a *part* where it belongs; the texts in it to *texts*."""
    match part:
        case Text():
            texts.append(part.text)
        case ToolCall():
            contents.uses_tools = True
            texts += (part.name, part.arguments)
        case ToolResult():
            contents.uses_tools = True
            for inner in part.parts:
                add_part(inner, texts, contents)
        case Image():
            contents.images.append(part)
        case Thinking():
            if not part.redacted:  # of an opaque blob nobody knows the tokens
                texts.append(part.text)
        case Opaque():
            contents.opaque.append(part)
