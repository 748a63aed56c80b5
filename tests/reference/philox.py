"""Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw (2011), in Python's integers."""

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
KEY_INCREMENTS = 0x9E3779B9, 0xBB67AE85  # golden ratio, and square root of 3 minus 1
LOW_32 = 0xFFFFFFFF


def philox4x32(counter, key, rounds=10):
    """Four random words of 32 bits from a counter of four and a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        product_0 = MULTIPLIERS[0] * c0
        product_1 = MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (product_1 >> 32) ^ c1 ^ k0,
            product_1 & LOW_32,
            (product_0 >> 32) ^ c3 ^ k1,
            product_0 & LOW_32,
        )
        k0 = (k0 + KEY_INCREMENTS[0]) & LOW_32
        k1 = (k1 + KEY_INCREMENTS[1]) & LOW_32
    return c0, c1, c2, c3
