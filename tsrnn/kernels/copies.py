"""Numbers from one place to another."""

from tsrnn._jit import kernel


@kernel
def copy_rows(steps, count, source, source_first, source_step, target, target_first, target_step):
    """``count`` numbers of each step from ``source`` to ``target``; a negative step goes backwards"""
    for step in range(steps):
        for i in range(count):
            target[target_first + step * target_step + i] = source[source_first + step * source_step + i]
