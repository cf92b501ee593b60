"""What counts as an answer to a call: a child that was taken over may send anything. Imports no pyvips."""

from thumbs.image.formats import sniff
from thumbs.render.isolation.descriptions import is_description
from thumbs.render.isolation.wire import PICTURES, Answer, Call, Outcome, Work

# Enough for every output format. A search in a whole body, with the interpreter's lock, could stop the server.
_SIGNATURE_BYTES = 256


def is_answer(call: Call, work: Work, answer: Answer) -> bool:
    """Whether this is an answer to `call`, in a format that was asked for."""
    if answer.failure() is not None:
        return True
    if call not in (Call.RENDER, Call.RENDER_PROXY):
        return answer.outcome == Outcome.BYTES and (call is not Call.DESCRIBE or is_description(answer.body, work))
    if answer.outcome == Outcome.TOO_SMALL:
        return call is Call.RENDER_PROXY
    formats = {each.format for each in (work.transform, work.fallback) if each is not None}
    if answer.outcome == Outcome.PART and not (call is Call.RENDER and work.limits.truncated):
        return False
    return (
        answer.outcome in PICTURES
        and sniff(answer.body[:_SIGNATURE_BYTES]) == answer.format
        and answer.format in formats
    )
