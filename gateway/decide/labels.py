"""Task labels that clients send, and the task types they mean."""

from __future__ import annotations

from models.scores import TASK_TYPES

# Labels in lower case with blanks between words. One that is not here still serves as a label in
# rules; it only does not replace what the classifier says.
TASK_OF_LABEL: dict[str, str] = {
    **{task.lower(): task for task in TASK_TYPES},
    "qa": "Open QA",
    "question answering": "Open QA",
    "research": "Open QA",
    "rag": "Closed QA",
    "fact": "Closed QA",
    "lookup": "Closed QA",
    "summary": "Summarization",
    "summarize": "Summarization",
    "summarise": "Summarization",
    "summarisation": "Summarization",
    "writing": "Text Generation",
    "creative writing": "Text Generation",
    "content": "Text Generation",
    "email": "Text Generation",
    "code": "Code Generation",
    "coding": "Code Generation",
    "code review": "Code Generation",
    "refactoring": "Code Generation",
    "debug": "Code Generation",
    "debugging": "Code Generation",
    "sql": "Code Generation",
    "unit tests": "Code Generation",
    "chat": "Chatbot",
    "conversation": "Chatbot",
    "support": "Chatbot",
    "customer support": "Chatbot",
    "classify": "Classification",
    "labeling": "Classification",
    "labelling": "Classification",
    "moderation": "Classification",
    "sentiment": "Classification",
    "triage": "Classification",
    "edit": "Rewrite",
    "editing": "Rewrite",
    "rephrase": "Rewrite",
    "paraphrase": "Rewrite",
    "proofreading": "Rewrite",
    "translate": "Rewrite",
    "translation": "Rewrite",
    "brainstorm": "Brainstorming",
    "ideas": "Brainstorming",
    "ideation": "Brainstorming",
    "extract": "Extraction",
    "parsing": "Extraction",
    "data extraction": "Extraction",
    "ner": "Extraction",
}


def plain(label: str) -> str:
    """*label* as it is compared: lower case, blanks for ``-`` and ``_``."""
    return label.replace("-", " ").replace("_", " ").strip().lower()


def task_of(label: str) -> str | None:
    """The task type that *label* means, None when it names none."""
    return TASK_OF_LABEL.get(plain(label))
