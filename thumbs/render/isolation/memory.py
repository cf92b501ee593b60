"""Whether a failure comes from a lack of memory, and whose. Imports no pyvips.

libvips and its codecs report it as any other failure, or crash. Nothing tells but how far the child has grown.
"""

import mmap
import resource

from thumbs.errors import RenderFailed, SourceBroken, SourceOverMemory, ThumbError

# The most that codecs allocate at once, about: with less left, the machine may be what refused.
_SHORT_BYTES = 128 * 1024 * 1024
# A failure that may come from a lack of memory.
DOUBTFUL = (SourceBroken, SourceOverMemory, RenderFailed)


def is_large(grown: int, memory: int) -> bool:
    """Whether a child that has `grown` by so many bytes, in all of its calls, may lack some of its `memory`.

    What earlier calls have left with its allocator counts for the limit, too, and is not to be told from what this one
    has added.
    """
    return grown > memory // 4


def judged(error: ThumbError, grown: int, memory: int) -> ThumbError:
    """What `error` is, of the first call of a child that may add `memory` and has `grown`, in bytes."""
    # The next piece did not fit: a picture is held in few large ones.
    if type(error) is SourceBroken and grown > memory // 2:
        return SourceOverMemory()
    # Nothing else makes an encoder fail.
    if type(error) is RenderFailed and is_large(grown, memory):
        return SourceOverMemory()
    return error


def machine_is_short(peak: int) -> bool:
    """Whether the machine, not the limit of a render, may have refused memory.

    `peak` is the largest address space that the child had, in bytes. A render's limit is on private data
    (`RLIMIT_DATA`), which leaves shared memory alone; a machine that does not overcommit refuses that too.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit - peak < _SHORT_BYTES:
        return True
    try:
        mmap.mmap(-1, _SHORT_BYTES).close()
    except OSError:
        return True
    return False
